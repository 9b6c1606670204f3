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
#include "access/listen/listener.hpp"
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
  // Returns headers after the edge wanted a login in spite of `refused`: other known headers, or
  // else obtained ones. Returns `refused` itself if there are no others, and if `refused` replaced
  // refused headers and was never accepted: whoever forges the edge's answer could else have one
  // login after another.
  asio::awaitable<Headers> instead_of(Headers refused);
  // Tries the application once, without a person: throws the Error that connections will meet,
  // and Error(login_needed) if the first one will have to log in.
  asio::awaitable<void> try_application();
  // Whether instead_of() may return other headers.
  bool may_replace(const Headers& refused) const { return unproven_ != refused; }
  // The edge did not want a login in spite of these headers.
  void were_accepted(const Headers& headers);

 private:
  struct Attempt;  // one login, for which several coroutines may wait

  asio::awaitable<Headers> obtain(Authorization::Why why, Headers refused);
  static asio::awaitable<void> end_of(Attempt& attempt);

  const Authorization& authorization_;
  LoginProcess login_process_;
  std::chrono::milliseconds cache_time_;
  Headers cached_;
  std::chrono::steady_clock::time_point cached_until_;
  std::optional<Headers> unproven_;  // obtained for refused ones, and not accepted yet
  std::weak_ptr<Attempt> attempt_;   // owned by its coroutines, since the loop may end before this
};

// Tries the application once, and calls options.tried with the result. Both outlive the coroutine.
asio::awaitable<void> try_application(Authorizer& authorizer, const ListenOptions& options);

}  // namespace mayfly
