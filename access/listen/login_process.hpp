// The process in which a listener's logins happen.
#pragma once

#include <sys/types.h>

#include <asio/awaitable.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "access/core/error.hpp"
#include "access/dial/tunnel_options.hpp"
#include "access/system/descriptor.hpp"

namespace mayfly {

using Obtained = std::variant<Headers, Error>;

// The messages between the two processes. A message that a dying process left incomplete is not
// valid: it is decoded as an Error.
std::string encode_obtained(const Obtained& obtained);
Obtained decode_obtained(std::string_view text);

// The login process is forked before the listener has anything to inherit: connections, threads, or
// the sandbox, since a login may start a browser. Each login runs in a child of the login process,
// so that its memory goes away with it.
class LoginProcess {
 public:
  // The login process has a copy of `authorization` and does not see later changes. Throws
  // Error(failed).
  explicit LoginProcess(const Authorization& authorization);
  // Interrupts a login, after which it has a moment to release its locks.
  ~LoginProcess();
  LoginProcess(const LoginProcess&) = delete;
  LoginProcess& operator=(const LoginProcess&) = delete;

  // Logs in. refused: the headers that the edge has refused, if `why` says so. Only one call at a
  // time.
  asio::awaitable<Obtained> obtain(Authorization::Why why, Headers refused);

 private:
  Descriptor socket_;
  pid_t pid_ = -1;
};

}  // namespace mayfly
