// The credential headers of a listener: cached, read from disk, or obtained by one login for all
// connections that wait.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/dial/tunnel_options.hpp"
#include "access/listen/login_process.hpp"

namespace mayfly {

class Authorizer {
 public:
  // Forks the login process, so call it before sockets and threads are made. `authorization` must
  // outlive this object. known() is cached for `cache_time`: reading and verifying took a third of
  // the time of a new connection, and connections often come in crowds.
  explicit Authorizer(const Authorization& authorization,
                      std::chrono::milliseconds cache_time = std::chrono::seconds(1))
      : authorization_(authorization), login_process_(authorization), cache_time_(cache_time) {}
  Authorizer(const Authorizer&) = delete;
  Authorizer& operator=(const Authorizer&) = delete;

  // As the members of Authorization.
  std::optional<Headers> known();
  const MaySend& may_send() const noexcept { return authorization_.may_send; }
  const TeamOf& team() const noexcept { return authorization_.team; }

  // Returns known headers, or else obtains headers. Throws what Authorization::obtain() throws.
  asio::awaitable<Headers> headers();
  // Returns headers after the edge answered `refused` by the login page: other known headers, or
  // else obtained ones.
  asio::awaitable<Headers> instead_of(Headers refused);

 private:
  struct Attempt;  // one login, for which several coroutines may wait

  asio::awaitable<Headers> obtain(Authorization::Why why, Headers refused);

  const Authorization& authorization_;
  LoginProcess login_process_;
  std::chrono::milliseconds cache_time_;
  Headers cached_;
  std::chrono::steady_clock::time_point cached_until_;
  std::weak_ptr<Attempt> attempt_;  // owned by its coroutines, since the loop may end before this
};

}  // namespace mayfly
