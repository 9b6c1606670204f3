#include "access/forward/http_exchange.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace mayfly {
namespace {

using Part = BodyScanner::Part;
constexpr int rounds_a_step = 16;  // between looks at other connections

std::string_view text_of(std::span<const std::byte> bytes) {
  return {std::bit_cast<const char*>(bytes.data()), bytes.size()};
}

bool says_close(const ResponseHead& head) {
  return head.minor_version == 0 || head.headers.lists("Connection", "close");
}

bool waits(const IoResult& result) {
  using State = IoResult::State;
  return result.state == State::wait_readable || result.state == State::wait_writable;
}

// Remembers what is waited for; true when the operation came to something.
bool settled(IoResult::State& wait, const IoResult& result) {
  wait = waits(result) ? result.state : IoResult::State::moved;
  return !waits(result);
}

}  // namespace

HttpExchange::HttpExchange(const Parts& parts, std::string request)
    : parts_(parts), up_(std::move(request)) {
  up_ += parts_.body.sent;
}

HttpExchange::~HttpExchange() {
  parts_.buffers.give_back(std::move(buffer_));
}

void HttpExchange::client_is(Wait ready) {
  if (client_in_ == ready) client_in_ = Wait::moved;
  if (client_out_ == ready) client_out_ = Wait::moved;
}

void HttpExchange::edge_is(Wait ready) {
  if (edge_in_ == ready) edge_in_ = Wait::moved;
  if (edge_out_ == ready) edge_out_ = Wait::moved;
}

void HttpExchange::client_has_gone() {
  end(State::client_gone, "the local program went away");
}

HttpExchange::Wants HttpExchange::step() {
  const auto goes_on = [&] { return state_ == State::waiting || state_ == State::passing; };
  bool more = true;
  for (int round = 0; more && round < rounds_a_step && goes_on(); ++round) {
    const bool sent = send();
    const bool received = goes_on() && receive();
    more = sent || received;
    if (goes_on()) finish_when_done();
  }
  if (!goes_on()) return {};
  const auto waits_for = [](Wait what, Wait one, Wait other) {
    return one == what || other == what;
  };
  return {.client_readable = client_in_ == Wait::wait_readable,
          .client_writable = client_out_ == Wait::wait_writable,
          .edge_readable = waits_for(Wait::wait_readable, edge_in_, edge_out_),
          .edge_writable = waits_for(Wait::wait_writable, edge_in_, edge_out_),
          .at_once = more};
}

// --- to the edge ---

bool HttpExchange::send() {
  if (edge_deaf_ || edge_out_ != Wait::moved) return false;
  bool moved = false;
  if (up_.empty()) moved = take_body();
  while (up_begin_ < up_.size()) {
    const auto rest = std::as_bytes(std::span(up_).subspan(up_begin_));
    const IoResult result = parts_.edge.write(rest);
    if (!settled(edge_out_, result)) return moved;
    if (result.state != Wait::moved) {
      // The edge may have answered before it stopped listening: that is still read.
      edge_deaf_ = true;
      edge_in_ = Wait::moved;
      problem_ = result.failure;
      break;
    }
    up_begin_ += result.bytes;
    moved = true;
  }
  up_.clear();
  up_begin_ = 0;
  return moved;
}

// The next piece of the request's body, if there is one.
bool HttpExchange::take_body() {
  RequestBody& body = parts_.body;
  if (body.scanner.over() || client_finished_ || client_in_ != Wait::moved) return false;
  if (parts_.ahead.empty()) {
    BufferPool::Buffer buffer = parts_.buffers.take();
    const std::span room(buffer.get(), BufferPool::size);
    const IoResult result = parts_.client.read(room);
    if (result.state == Wait::moved) parts_.ahead.assign(text_of(room.first(result.bytes)));
    parts_.buffers.give_back(std::move(buffer));
    if (!settled(client_in_, result)) return false;
    if (result.state != Wait::moved) {
      client_finished_ = both_ways_ && result.state == Wait::ended;
      if (!client_finished_)
        end(both_ways_ ? State::done : State::client_gone, "the local program went away");
      return false;
    }
  }
  const auto [size, kept] = body.scanner.take_without_trailers(parts_.ahead);
  up_.assign(parts_.ahead, 0, kept);
  parts_.ahead.erase(0, size);
  if (body.scanner.malformed()) end(State::bad_request, "its chunks are malformed");
  body.can_be_replayed =
      body.can_be_replayed && body.sent.size() + size <= RequestBody::most_replay;
  body.can_be_replayed ? void(body.sent += up_) : body.sent.clear();
  return size > 0;
}

// --- to the client ---

bool HttpExchange::receive() {
  bool moved = deliver();
  if (!down_.empty() || !piece_.empty() || edge_ended_ || edge_in_ != Wait::moved) return moved;
  if (answer_ && answer_->over()) return moved;
  buffer_ = parts_.buffers.take();
  const std::span room(buffer_.get(), BufferPool::size);
  const IoResult result = read_edge(room);
  const bool settled_now = settled(edge_in_, result);
  if (result.state == Wait::moved) {
    edge_spoke_ = true;
    if (answer_) {
      moved = scan_answer({std::bit_cast<char*>(buffer_.get()), result.bytes}) || moved;
    } else {
      heads_.feed(text_of(room.first(result.bytes)));
      read_head();
    }
    moved = true;
  } else if (settled_now) {
    on_edge_end(result);
  }
  if (piece_.empty()) parts_.buffers.give_back(std::move(buffer_));
  if (state_ == State::waiting || state_ == State::passing) deliver();
  return moved;
}

// From an edge that takes nothing any more, nothing more is waited for. A wire that was read empty
// says so once without a look: only the second answer counts.
IoResult HttpExchange::read_edge(std::span<std::byte> room) {
  IoResult result = parts_.edge.read(room);
  if (edge_deaf_ && waits(result)) result = parts_.edge.read(room);
  if (edge_deaf_ && waits(result)) return {.state = Wait::failed, .bytes = 0, .failure = problem_};
  return result;
}

void HttpExchange::read_head() {
  for (;;) {
    ResponseReader::Next next = heads_.next();
    if (const auto* malformed = std::get_if<Malformed>(&next))
      return end(State::edge_failed, "the answer is not HTTP/1.1: " + malformed->why);
    auto* head = std::get_if<ResponseHead>(&next);
    if (head == nullptr) return;
    if (is_final(*head)) {
      reusable_ = !says_close(*head);
      head_ = std::move(*head);
      state_ = State::answered;
      return;
    }
    down_ += parts_.interim(*head);
  }
}

void HttpExchange::pass_on(std::string_view text, const BodyFraming& body, Chunks chunks,
                           std::optional<JsonUrls> changed) {
  state_ = State::passing;
  chunks_ = chunks;
  changed_ = std::move(changed);
  down_ += text;
  answer_.emplace(body);
  if (body.kind == BodyFraming::Kind::until_close) reusable_ = false;
  std::string early = heads_.take_rest();
  scan_answer(early);
  down_ += piece_;
  piece_ = {};
  finish_when_done();
}

void HttpExchange::pass_both_ways(std::string_view text) {
  both_ways_ = true;
  parts_.body = RequestBody({BodyFraming::Kind::until_close, 0});
  parts_.body.can_be_replayed = false;
  pass_on(text, {BodyFraming::Kind::until_close, 0}, Chunks::kept);
}

// What belongs to the answer is to be delivered; more than that does not belong here at all.
bool HttpExchange::scan_answer(std::span<char> bytes) {
  const std::string_view all(bytes.data(), bytes.size());
  std::size_t size = 0;
  if (chunks_ == Chunks::kept) {
    const auto [taken, kept] = answer_->take_without_trailers(bytes);
    size = taken;
    piece_ = all.substr(0, kept);
  } else {
    for (Part part; (part = answer_->next(all.substr(size))).size > 0; size += part.size) {
      if (part.sort != Part::Sort::data) continue;
      const std::string_view data = all.substr(size, part.size);
      changed_ ? put(changed_->take(data)) : put(data);
    }
    if (answer_->over()) end_body();
  }
  if (answer_->malformed()) end(State::cut, "the chunks of the answer are malformed");
  if (size < bytes.size()) reusable_ = false;
  return size > 0;
}

void HttpExchange::put(std::string_view data) {
  if (data.empty()) return;  // an empty chunk would be the last
  if (chunks_ == Chunks::made)
    down_ += fmt::format("{:x}\r\n{}\r\n", data.size(), data);
  else
    down_ += data;
}

// The body is whole.
void HttpExchange::end_body() {
  if (changed_) put(changed_->take_rest());
  if (chunks_ == Chunks::made) down_ += "0\r\n\r\n";
}

bool HttpExchange::deliver() {
  bool moved = false;
  while ((!down_.empty() || !piece_.empty()) && client_out_ == Wait::moved) {
    const std::string_view first = std::string_view(down_).substr(down_begin_);
    const iovec pieces[] = {{const_cast<char*>(first.data()), first.size()},
                            {const_cast<char*>(piece_.data()), piece_.size()}};
    const IoResult result = parts_.client.write(pieces);
    if (!settled(client_out_, result)) return moved;
    if (result.state != Wait::moved)
      return end(State::client_gone, "nobody reads the answer"), false;
    const std::size_t of_first = std::min(result.bytes, first.size());
    down_begin_ += of_first;
    piece_.remove_prefix(result.bytes - of_first);
    if (down_begin_ == down_.size()) {
      down_.clear();
      down_begin_ = 0;
    }
    moved = true;
  }
  if (piece_.empty()) parts_.buffers.give_back(std::move(buffer_));
  return moved;
}

void HttpExchange::on_edge_end(const IoResult& result) {
  edge_ended_ = true;
  const bool cut = result.state == Wait::failed;
  if (state_ == State::waiting) {
    if (!cut && problem_.empty()) problem_ = "the connection was closed before an answer came";
    return end(State::edge_failed, cut ? result.failure : problem_);
  }
  if (both_ways_ || answer_->over()) return;
  if (cut || !answer_->may_end_here())
    end(State::cut, cut ? result.failure : "the connection was closed in the middle of the answer");
  else
    end_body();
}

// --- the end ---

void HttpExchange::end(State state, std::string problem) {
  state_ = state;
  problem_ = std::move(problem);
}

void HttpExchange::finish_when_done() {
  if (state_ != State::passing || !down_.empty() || !piece_.empty()) return;
  if (edge_ended_ || answer_->over()) state_ = State::done;
}

bool HttpExchange::edge_is_clean() const {
  return state_ == State::done && reusable_ && !edge_ended_ && !edge_deaf_ && !both_ways_ &&
         request_is_over();
}

}  // namespace mayfly
