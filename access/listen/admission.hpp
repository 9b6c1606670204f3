// Limits the local connections of a listener, and the bytes of requests that it holds for them.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <utility>

namespace mayfly {

// Shared with its guests, which may outlive the listener.
class Admission : public std::enable_shared_from_this<Admission> {
 public:
  struct Limits {
    std::size_t connections = 10'000;
    std::size_t unfinished = std::size_t{8} << 20;  // bytes of incomplete requests
    std::size_t bytes = std::size_t{64} << 20;      // bytes of all requests
  };
  // Returns the limits for a soft RLIMIT_NOFILE of `descriptors`, of which each connection takes
  // two.
  static Limits limits_under(std::size_t descriptors);

  explicit Admission(const Limits& limits) : limits_(limits) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // Sets a function that is called when a quarter of a crowd (64 connections or more) is left.
  void on_crowd_left(std::function<void()> function) { crowd_left_ = std::move(function); }

  class Guest;
  // Admits a connection, which has its place until the Guest is destroyed. If all places are taken,
  // ends the oldest half-open connection, or else the oldest idle one. Returns nullptr if every
  // connection is busy.
  std::shared_ptr<Guest> admit();

  std::size_t connections() const noexcept { return connections_; }
  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t most() const noexcept { return limits_.connections; }

 private:
  bool end_oldest(std::size_t with_bytes);
  void leave();

  Limits limits_;
  std::size_t connections_ = 0;  // without those that were told to end
  std::size_t bytes_ = 0, unfinished_ = 0;
  std::size_t peak_ = 0;  // the most connections since crowd_left_ was called
  std::function<void()> crowd_left_;
  std::list<Guest*> half_open_, idle_;  // the oldest first
};

// An admitted connection, which is busy at first.
class Admission::Guest {
 public:
  Guest() = default;  // for tests: a guest without limits
  explicit Guest(std::shared_ptr<Admission> admission) : admission_(std::move(admission)) {}
  ~Guest();
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  using End = std::function<void()>;
  // The local program has to send more before it is served: it may be ended, by one call of `end`.
  void is_half_open(const End& end) { wait(State::half_open, end); }
  // It was served, and may send another request. It may be ended, too, after all half-open ones.
  void is_idle(const End& end) { wait(State::idle, end); }
  // It is being served, and may not be ended.
  void is_busy();
  // Sets the number of bytes of a request that it holds. If there are too many in all, ends
  // half-open connections that hold bytes, the oldest first. Returns false if that is not enough.
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
