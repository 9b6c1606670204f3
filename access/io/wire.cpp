#include "access/io/wire.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>

#include "access/core/error.hpp"
#include "access/core/release.hpp"
#include "access/system/platform.hpp"

namespace mayfly {
namespace {

IoResult failed_with(int number) {
  return {.state = IoResult::State::failed, .bytes = 0, .failure = std::strerror(number)};
}

WireEnd& end_of(BIO* bio) {
  return *static_cast<WireEnd*>(BIO_get_data(bio));
}

bool settle(BIO* bio, WireEnd& end) {
  BIO_clear_retry_flags(bio);
  if (end.last.state == IoResult::State::wait_readable) BIO_set_retry_read(bio);
  if (end.last.state == IoResult::State::wait_writable) BIO_set_retry_write(bio);
  if (end.last.state == IoResult::State::ended) end.ended = true;
  return end.last.state == IoResult::State::moved;
}

// OpenSSL asks for a record's header, then for its body. Its own read-ahead would halve the system
// calls, but moves what it has read ahead once for each record (1.5 copies of every byte,
// measured). Here the next header comes with the body before it, and a small record whole with its
// header.
std::size_t worth_reading_ahead(std::size_t asked) {
  constexpr std::size_t header = 5;  // RFC 8446 section 5.1
  return asked > header ? header : sizeof(WireEnd::ahead);
}

std::size_t take_ahead(WireEnd& end, std::span<std::byte> into) {
  const std::size_t size = std::min(into.size(), end.ahead_end - end.ahead_begin);
  std::memcpy(into.data(), end.ahead.data() + end.ahead_begin, size);
  end.ahead_begin += size;
  return size;
}

int on_read(BIO* bio, char* into, std::size_t size, std::size_t* done) noexcept {
  WireEnd& end = end_of(bio);
  const auto room = std::as_writable_bytes(std::span(into, size));
  BIO_clear_retry_flags(bio);
  if (*done = take_ahead(end, room); *done > 0) return 1;
  end.last = end.wire->read(room, std::span(end.ahead).first(worth_reading_ahead(size)));
  *done = std::min(end.last.bytes, size);
  end.ahead_begin = 0;
  end.ahead_end = end.last.bytes - *done;
  return settle(bio, end) ? 1 : 0;
}

int on_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* done) noexcept {
  WireEnd& end = end_of(bio);
  end.last = end.wire->write(std::as_bytes(std::span(bytes, size)));
  end.written += end.last.bytes;
  *done = end.last.bytes;
  return settle(bio, end) ? 1 : 0;
}

long on_control(BIO* bio, int command, long, void*) noexcept {
  if (command == BIO_CTRL_FLUSH) return 1;
  return command == BIO_CTRL_EOF && end_of(bio).ended ? 1 : 0;
}

BIO_METHOD* wire_method() {
  static const std::unique_ptr<BIO_METHOD, Release<BIO_meth_free>> method = [] {
    std::unique_ptr<BIO_METHOD, Release<BIO_meth_free>> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire"));
    if (!made) throw std::bad_alloc();
    BIO_meth_set_read_ex(made.get(), on_read);
    BIO_meth_set_write_ex(made.get(), on_write);
    BIO_meth_set_ctrl(made.get(), on_control);
    return made;
  }();
  return method.get();
}

}  // namespace

std::size_t Wire::unacknowledged() const noexcept {
  return unacknowledged_bytes(descriptor());
}

// A host with a closed window answers probes, which the kernel sends up to two minutes apart: one
// may be on its way. An open window is answered within a round trip.
bool Wire::host_answers() const noexcept {
  const auto facts = tcp_facts(descriptor());
  if (!facts) return false;
  if (facts->has_bytes_in_flight) return facts->since_acknowledgement < std::chrono::seconds(5);
  return facts->unanswered_probes < 2;
}

SocketWire::SocketWire(Descriptor socket) : socket_(std::move(socket)) {
  const int flags = fcntl(socket_.get(), F_GETFL);
  if (flags < 0 || fcntl(socket_.get(), F_SETFL, flags | O_NONBLOCK) != 0)
    throw system_error("cannot set up a connection", errno);
  // A keystroke must not wait for the answer to the one before (Nagle).
  const int on = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// The other side learns of the end even while a forked child still holds a copy of the descriptor.
SocketWire::~SocketWire() {
  if (socket_) shutdown(socket_.get(), SHUT_RDWR);
}

IoResult SocketWire::read(std::span<std::byte> into, std::span<std::byte> more) {
  if (drained_) {
    drained_ = false;
    return {.state = IoResult::State::wait_readable};
  }
  iovec pieces[] = {{into.data(), into.size()}, {more.data(), more.size()}};
  const ssize_t count = uninterrupted([&] { return readv(socket_.get(), pieces, 2); });
  if (count == 0) return {.state = IoResult::State::ended};
  if (count < 0 && errno == EAGAIN) return {.state = IoResult::State::wait_readable};
  if (count < 0) return failed_with(errno);
  const auto bytes = static_cast<std::size_t>(count);
  drained_ = bytes < into.size() + more.size();
  return {.bytes = bytes};
}

IoResult SocketWire::write(std::span<const std::byte> bytes) {
  const ssize_t count =
      uninterrupted([&] { return send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); });
  if (count < 0 && errno == EAGAIN) return {.state = IoResult::State::wait_writable};
  if (count < 0) return failed_with(errno);
  return {.bytes = static_cast<std::size_t>(count)};
}

BIO* make_bio(WireEnd& end) {
  BIO* bio = BIO_new(wire_method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, &end);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace mayfly
