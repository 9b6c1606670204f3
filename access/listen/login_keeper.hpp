// The process apart in which a listener's logins happen.
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

// What one process tells another, and back; nothing that a death in the middle could make valid.
// What cannot be read is an Error.
std::string encode_obtained(const Obtained& obtained);
Obtained decode_obtained(std::string_view text);

// It is forked before there is anything to inherit: no connection, no thread, and no sandbox, since
// a login may start a browser. Each login runs in a child of its own, and whatever it held in
// memory goes with it.
class LoginKeeper {
 public:
  // authorization is copied with the process; what happens to it here afterwards is not seen there.
  // Throws Error(failed).
  explicit LoginKeeper(const Authorization& authorization);
  // A login under way is interrupted; it gets a moment to let go of its locks.
  ~LoginKeeper();
  LoginKeeper(const LoginKeeper&) = delete;
  LoginKeeper& operator=(const LoginKeeper&) = delete;

  // One at a time. refused: the headers that the edge no longer takes, when that is why.
  asio::awaitable<Obtained> ask(Authorization::Why why, Headers refused);

 private:
  Descriptor line_;
  pid_t pid_ = -1;
};

}  // namespace mayfly
