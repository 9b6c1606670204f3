#include "access/testing/faults.hpp"

#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

namespace mayfly::testing {
namespace {

enum class Direction { in, out };

struct State {
  bool counting = false;
  Fault fault = Fault::reset;
  int at = 0, count = 0, in_vain = 0;
  std::set<int> also, broken;
  std::map<void*, int> watched;  // the descriptor behind what epoll gives back
};
thread_local State state;

bool concerns(int descriptor) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return state.also.contains(descriptor) ||
         (::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
          domain == AF_INET);
}

struct Outcome {
  enum { pass, shortened, replaced } what = pass;
  ssize_t result = 0;
};

Outcome failing(int number) {
  errno = number;
  return {Outcome::replaced, -1};
}

Outcome outcome_of(Fault fault, Direction direction) {
  switch (fault) {
    case Fault::reset:
      return failing(direction == Direction::in ? ECONNRESET : EPIPE);
    case Fault::timed_out:
      return failing(ETIMEDOUT);
    case Fault::end:
      return direction == Direction::in ? Outcome{Outcome::replaced, 0} : failing(EPIPE);
    case Fault::stall:
      return failing(EAGAIN);
    case Fault::interrupted:
      return failing(EINTR);
    case Fault::short_piece:
      return {Outcome::shortened, 1};
  }
  return {};
}

Outcome next(int descriptor, Direction direction) {
  if (!state.counting || !concerns(descriptor)) return {};
  if (state.broken.contains(descriptor)) {
    ++state.in_vain;
    return outcome_of(state.fault, direction);
  }
  if (++state.count != state.at) return {};
  if (!is_harmless(state.fault)) state.broken.insert(descriptor);
  return outcome_of(state.fault, direction);
}

template <typename Function>
Function* original(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// The operation itself, of all it was asked for or of one byte; or what takes its place.
template <typename Whole, typename OneByte>
ssize_t run(int descriptor, Direction direction, Whole whole, OneByte one_byte) {
  const Outcome outcome = next(descriptor, direction);
  if (outcome.what == Outcome::replaced) return outcome.result;
  return outcome.what == Outcome::shortened ? one_byte() : whole();
}

}  // namespace

std::string name_of(Fault fault) {
  constexpr const char* names[] = {"reset", "timed out", "end", "stall", "short", "interrupted"};
  return names[static_cast<int>(fault)];
}

FaultInjection::FaultInjection(Fault fault, int at, std::set<int> also) {
  state = {.counting = true,
           .fault = fault,
           .at = at,
           .count = 0,
           .in_vain = 0,
           .also = std::move(also),
           .broken = {},
           .watched = {}};
}
FaultInjection::~FaultInjection() {
  state.counting = false;
}
int FaultInjection::operations() const {
  return state.count;
}
int FaultInjection::in_vain() const {
  return state.in_vain;
}

namespace {

// A first piece that holds something, cut to one byte.
ssize_t vector_of_one(ssize_t (*function)(int, const iovec*, int), int descriptor,
                      const iovec* pieces, int count) {
  for (int i = 0; i < count; ++i) {
    if (pieces[i].iov_len == 0) continue;
    const iovec first{pieces[i].iov_base, 1};
    return function(descriptor, &first, 1);
  }
  return function(descriptor, pieces, count);
}

}  // namespace

extern "C" {

ssize_t read(int descriptor, void* into, std::size_t size) {
  static auto* const real = original<ssize_t(int, void*, std::size_t)>("read");
  return run(
      descriptor, Direction::in, [&] { return real(descriptor, into, size); },
      [&] { return real(descriptor, into, 1); });
}

ssize_t write(int descriptor, const void* bytes, std::size_t size) {
  static auto* const real = original<ssize_t(int, const void*, std::size_t)>("write");
  return run(
      descriptor, Direction::out, [&] { return real(descriptor, bytes, size); },
      [&] { return real(descriptor, bytes, 1); });
}

ssize_t recv(int descriptor, void* into, std::size_t size, int flags) {
  static auto* const real = original<ssize_t(int, void*, std::size_t, int)>("recv");
  return run(
      descriptor, Direction::in, [&] { return real(descriptor, into, size, flags); },
      [&] { return real(descriptor, into, 1, flags); });
}

ssize_t send(int descriptor, const void* bytes, std::size_t size, int flags) {
  static auto* const real = original<ssize_t(int, const void*, std::size_t, int)>("send");
  return run(
      descriptor, Direction::out, [&] { return real(descriptor, bytes, size, flags); },
      [&] { return real(descriptor, bytes, 1, flags); });
}

ssize_t readv(int descriptor, const iovec* pieces, int count) {
  static auto* const real = original<ssize_t(int, const iovec*, int)>("readv");
  return run(
      descriptor, Direction::in, [&] { return real(descriptor, pieces, count); },
      [&] { return vector_of_one(real, descriptor, pieces, count); });
}

ssize_t writev(int descriptor, const iovec* pieces, int count) {
  static auto* const real = original<ssize_t(int, const iovec*, int)>("writev");
  return run(
      descriptor, Direction::out, [&] { return real(descriptor, pieces, count); },
      [&] { return vector_of_one(real, descriptor, pieces, count); });
}

int connect(int descriptor, const sockaddr* address, socklen_t size) {
  static auto* const real = original<int(int, const sockaddr*, socklen_t)>("connect");
  const Outcome outcome = next(descriptor, Direction::out);
  // What does not block is not interrupted.
  if (outcome.what != Outcome::replaced || errno == EINTR) return real(descriptor, address, size);
  // One that stalls is in progress, and one that is refused says so.
  if (errno == EAGAIN) errno = EINPROGRESS;
  if (errno == EPIPE) errno = ECONNREFUSED;
  return static_cast<int>(outcome.result);
}

// A new one, although it may have the number of one that failed.
int socket(int domain, int type, int protocol) {
  static auto* const real = original<int(int, int, int)>("socket");
  const int descriptor = real(domain, type, protocol);
  state.broken.erase(descriptor);
  return descriptor;
}

int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event) {
  static auto* const real = original<int(int, int, int, epoll_event*)>("epoll_ctl");
  void* const given = event != nullptr ? event->data.ptr : nullptr;  // out of a packed structure
  if (state.counting) state.watched[given] = descriptor;
  return real(epoll, operation, descriptor, event);
}

int epoll_wait(int epoll, epoll_event* events, int room, int timeout) {
  static auto* const real = original<int(int, epoll_event*, int, int)>("epoll_wait");
  const int count = real(epoll, events, room, timeout);
  if (!state.counting || state.fault != Fault::stall || count <= 0) return count;
  const auto stalled = [](const epoll_event& event) {
    void* const given = event.data.ptr;
    const auto found = state.watched.find(given);
    return found != state.watched.end() && state.broken.contains(found->second);
  };
  return static_cast<int>(std::remove_if(events, events + count, stalled) - events);
}

}  // extern "C"

}  // namespace mayfly::testing
