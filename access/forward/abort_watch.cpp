#include "access/forward/abort_watch.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

namespace mayfly {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds between_looks{500};

}  // namespace

void AbortWatch::wake(FirstReady& ready) {
  if (state_ != State::there) return;
  ready.watch(stream_.watched(), WatchedDescriptor::For::wait_error, [this] {
    // Urgent bytes wake too, and would again and again.
    pollfd look{.fd = socket_, .events = 0, .revents = 0};
    state_ = ::poll(&look, 1, 0) > 0 ? State::gone : State::false_alarm;
  });
}

void AbortWatch::wake_at_end_of_stream(FirstReady& ready) {
  if (sends_ != Sends::unknown) return;
  ready.watch(stream_.watched(), WatchedDescriptor::For::wait_read, [this] {
    char byte = 0;
    const ssize_t size = ::recv(socket_, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
    if (size > 0) sends_ = Sends::more;  // the next request
    if (size == 0) has_finished_sending();
  });
}

void AbortWatch::has_finished_sending() {
  if (sends_ == Sends::nothing_more) return;
  sends_ = Sends::nothing_more;
  look();
}

void AbortWatch::look() {
  const Presence presence = peer_.look();
  if (presence == Presence::gone) state_ = State::gone;
  is_there_ = presence == Presence::there;
}

asio::awaitable<bool> AbortWatch::wait(FirstReady& ready, milliseconds patience) {
  for (;;) {
    const bool looks = sends_ == Sends::nothing_more && is_there_;
    const milliseconds slice = looks ? std::min(patience, between_looks) : patience;
    if (co_await ready.wait(slice)) co_return true;
    patience -= slice;
    if (looks) look();
    if (has_aborted()) co_return true;
    if (patience <= milliseconds(0)) co_return false;
  }
}

void AbortWatch::stop() {
  stream_.watched().cancel();
  if (sends_ == Sends::more) sends_ = Sends::unknown;
}

}  // namespace mayfly
