// How many local connections a listener has at once, and how many bytes of requests it holds for
// them.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <utility>

namespace mayfly {

// It is shared with its guests, which may outlive the listener.
class Admission : public std::enable_shared_from_this<Admission> {
 public:
  struct Limits {
    std::size_t connections = 10'000;
    std::size_t unfinished = std::size_t{8} << 20;  // bytes of requests that are not complete
    std::size_t bytes = std::size_t{64} << 20;      // of all requests
  };
  // The limits under a soft RLIMIT_NOFILE of that many: each connection takes two descriptors.
  static Limits limits_under(std::size_t descriptors);

  explicit Admission(const Limits& limits) : limits_(limits) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  class Guest;
  // Returns a place for a connection, which lasts as long as the Guest. If all are taken, ends the
  // connection that has been half-open for longest, or idle if none is half-open. Returns null if
  // every connection is busy.
  std::shared_ptr<Guest> admit();

  std::size_t connections() const noexcept { return connections_; }
  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t most() const noexcept { return limits_.connections; }

 private:
  bool end_oldest(std::size_t with_bytes);
  void leave();

  Limits limits_;
  std::size_t connections_ = 0;  // without those that have been told to end
  std::size_t bytes_ = 0, unfinished_ = 0;
  std::size_t peak_ = 0;                // of connections, since memory was given back
  std::list<Guest*> half_open_, idle_;  // the oldest first
};

// One connection as the admission knows it. Busy at first.
class Admission::Guest {
 public:
  Guest() = default;  // for tests: of no admission, without limits
  explicit Guest(std::shared_ptr<Admission> admission) : admission_(std::move(admission)) {}
  ~Guest();
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  using End = std::function<void()>;
  // Nothing can be done for it before it says more: it may be ended, by calling `end` once.
  void is_half_open(const End& end) { wait(State::half_open, end); }
  // It has been served, and may say more. It may be ended too, after all that are half-open.
  void is_idle(const End& end) { wait(State::idle, end); }
  // It is being served, and is not ended.
  void is_busy();
  // It holds so many bytes of a request from now on. Ends half-open connections that hold bytes,
  // the oldest first, if there are too many. Returns false if that is not enough.
  bool hold(std::size_t bytes);

 private:
  friend class Admission;
  enum class State { busy, half_open, idle, ended };

  void wait(State state, const End& end);
  void take_out();
  void count(std::size_t bytes);
  void end();

  std::shared_ptr<Admission> admission_;
  State state_ = State::busy;
  std::list<Guest*>::iterator place_;
  End end_;
  std::size_t bytes_ = 0;
};

}  // namespace mayfly
