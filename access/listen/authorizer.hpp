// What opens the application, for a listener: known at once, or obtained by its keeper, once for
// all who wait.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/dial/tunnel_options.hpp"
#include "access/listen/login_keeper.hpp"

namespace mayfly {

class Authorizer {
 public:
  // Forks: made before sockets and threads. authorization outlives it. What is known stays so for a
  // moment: to read and verify it took a third of a new connection's time, and crowds come at once.
  explicit Authorizer(const Authorization& authorization,
                      std::chrono::milliseconds moment = std::chrono::seconds(1))
      : authorization_(authorization), keeper_(authorization), moment_(moment) {}
  Authorizer(const Authorizer&) = delete;
  Authorizer& operator=(const Authorizer&) = delete;

  // Without waiting.
  std::optional<Headers> known();
  // As Authorization::may_send.
  const MaySend& may_send() const noexcept { return authorization_.may_send; }
  // As Authorization::team.
  const TeamOf& team() const noexcept { return authorization_.team; }
  // Known ones, else obtained ones. Throws what obtain() throws.
  asio::awaitable<Headers> headers();
  // The edge sent `refused` to the login page: others that are known by now, else obtained ones.
  asio::awaitable<Headers> instead_of(Headers refused);

 private:
  struct Attempt;  // one login, and those who wait for it

  asio::awaitable<Headers> obtain(Authorization::Why why, Headers refused);

  const Authorization& authorization_;
  LoginKeeper keeper_;
  std::chrono::milliseconds moment_;
  Headers fresh_;  // known, and so until:
  std::chrono::steady_clock::time_point fresh_until_;
  std::weak_ptr<Attempt> attempt_;  // its coroutines have it: their loop may be gone before this
};

}  // namespace mayfly
