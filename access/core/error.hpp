// The only error type: a message, a hint, and a kind that is the exit code.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace mayfly {

// The values are the exit codes of the command line (mayfly(1), EXIT STATUS).
enum class ErrorKind {
  failed = 1,
  usage = 2,
  login_needed = 3,
  refused = 4,   // Access said no: policy, client certificate or service token
  network = 5,   // DNS, TCP, TLS, timeout
  protocol = 6,  // the peer's answer is not what Access sends
};

// message: "what failed: why", one line, no capital, no full stop. Pass bytes from outside through
// printable() first. hint: an instruction to the person; may be empty.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string hint = {})
      : kind_(kind), message_(std::move(message)), hint_(std::move(hint)) {}

  // An Error of kind network: a deadline of ours has passed.
  static Error timeout(std::string message, std::string hint) {
    Error error(ErrorKind::network, std::move(message), std::move(hint));
    error.is_timeout_ = true;
    return error;
  }

  ErrorKind kind() const noexcept { return kind_; }
  bool is_timeout() const noexcept { return is_timeout_; }
  const std::string& message() const noexcept { return message_; }
  const std::string& hint() const noexcept { return hint_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorKind kind_;
  bool is_timeout_ = false;
  std::string message_;
  std::string hint_;
};

// Returns an Error of kind failed with the message "what: strerror(number)", and with a hint for
// the numbers that have a known cure.
Error system_error(std::string_view what, int error_number);

}  // namespace mayfly
