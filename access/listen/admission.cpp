#include "access/listen/admission.hpp"

#include <algorithm>
#include <utility>

namespace mayfly {
namespace {

// For listening sockets, idle connections to the edge, name look-ups and files.
constexpr std::size_t other_descriptors = 128;
constexpr std::size_t fewest_connections = 16;
// After fewer connections than this there is too little memory to give back.
constexpr std::size_t smallest_crowd = 64;

}  // namespace

Admission::Limits Admission::limits_under(std::size_t descriptors) {
  Limits limits;
  const std::size_t left = descriptors > other_descriptors ? descriptors - other_descriptors : 0;
  limits.connections = std::clamp(left / 2, fewest_connections, limits.connections);
  return limits;
}

std::shared_ptr<Admission::Guest> Admission::admit() {
  if (connections_ >= limits_.connections && !end_oldest(0)) return nullptr;
  auto guest = std::make_shared<Guest>(shared_from_this());
  peak_ = std::max(peak_, ++connections_);
  return guest;
}

// Ends the oldest half-open or idle connection with at least so many bytes (idle ones hold none).
// Returns false if there is no such connection.
bool Admission::end_oldest(std::size_t with_bytes) {
  for (std::list<Guest*>* waiting : {&half_open_, &idle_}) {
    const auto oldest = std::ranges::find_if(
        *waiting, [&](const Guest* guest) { return guest->bytes_ >= with_bytes; });
    if (oldest == waiting->end()) continue;
    (*oldest)->end();
    return true;
  }
  return false;
}

void Admission::leave() {
  --connections_;
  if (peak_ < smallest_crowd || connections_ > peak_ / 4) return;
  peak_ = connections_;
  if (crowd_left_) crowd_left_();
}

Admission::Guest::~Guest() {
  if (admission_ == nullptr || state_ == State::ended) return;
  take_out();
  count(0);
  admission_->leave();
}

void Admission::Guest::is_busy() {
  if (admission_ == nullptr || state_ == State::ended) return;
  const std::size_t bytes = bytes_;
  count(0);
  take_out();
  state_ = State::busy;
  count(bytes);
}

void Admission::Guest::wait(State state, const End& end) {
  if (admission_ == nullptr || state_ == State::ended || state_ == state) return;
  is_busy();
  const std::size_t bytes = bytes_;
  count(0);
  std::list<Guest*>& waiting = state == State::idle ? admission_->idle_ : admission_->half_open_;
  waiting.push_back(this);
  place_ = std::prev(waiting.end());
  state_ = state;
  end_ = end;
  count(bytes);
}

void Admission::Guest::take_out() {
  if (state_ == State::half_open) admission_->half_open_.erase(place_);
  if (state_ == State::idle) admission_->idle_.erase(place_);
  end_ = nullptr;
}

void Admission::Guest::count(std::size_t bytes) {
  admission_->bytes_ += bytes - bytes_;
  if (state_ == State::half_open) admission_->unfinished_ += bytes - bytes_;
  bytes_ = bytes;
}

// Counts its bytes and its place as free. They are, once its coroutine has noticed the end.
void Admission::Guest::end() {
  const End end = std::move(end_);
  take_out();
  count(0);
  state_ = State::ended;
  admission_->leave();
  end();
}

bool Admission::Guest::hold(std::size_t bytes) {
  if (admission_ == nullptr) return true;
  if (state_ == State::ended) return false;
  count(bytes);
  const auto too_many = [this] {
    return admission_->unfinished_ > admission_->limits_.unfinished ||
           admission_->bytes_ > admission_->limits_.bytes;
  };
  while (too_many() && state_ != State::ended)
    if (!admission_->end_oldest(1)) return false;
  return state_ != State::ended;
}

}  // namespace mayfly
