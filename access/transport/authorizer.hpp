// What opens the application, for a listener: whatever blocks runs in a forked child, once for all
// who wait.
#pragma once

#include <sys/types.h>

#include <asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "access/core/error.hpp"
#include "access/transport/tunnel.hpp"

namespace mayfly {

using Obtained = std::variant<std::vector<Header>, Error>;

// What a child tells its parent, and back; nothing that a child's death in the middle could make
// valid. What cannot be read is an Error.
std::string encode_obtained(const Obtained& obtained);
Obtained decode_obtained(std::string_view text);

class Authorizer {
 public:
  // authorization outlives it. What is known stays so for a moment: to read and verify it took a
  // third of a new connection's time, and crowds come at once.
  explicit Authorizer(const Authorization& authorization,
                      std::chrono::milliseconds moment = std::chrono::seconds(1))
      : authorization_(authorization), moment_(moment) {}
  // Ends a child that still runs.
  ~Authorizer();
  Authorizer(const Authorizer&) = delete;
  Authorizer& operator=(const Authorizer&) = delete;

  // Known ones, else obtained ones. Throws what obtain() throws.
  asio::awaitable<std::vector<Header>> headers();
  // The edge sent `refused` to the login page: others that are known by now, else obtained ones.
  asio::awaitable<std::vector<Header>> instead_of(std::vector<Header> refused);

 private:
  struct Attempt;  // one child, and those who wait for it

  asio::awaitable<std::vector<Header>> obtain(Authorization::Why why);
  asio::awaitable<void> run(std::shared_ptr<Attempt> attempt, Authorization::Why why);

  const Authorization& authorization_;
  std::chrono::milliseconds moment_;
  std::vector<Header> fresh_;  // known, and so until:
  std::chrono::steady_clock::time_point fresh_until_;
  std::shared_ptr<Attempt> attempt_;
};

}  // namespace mayfly
