// The environment of the programs that mayfly starts, without secrets.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mayfly {

// A copy of this process's environment without its secrets: no service token, no variable with a
// PIN, no SSLKEYLOGFILE, and of proxies no user and password.
class ChildEnvironment {
 public:
  // Passwords of proxies are for programs that connect through these proxies themselves.
  enum class ProxyPasswords { removed, kept };
  using Changes = std::vector<std::pair<std::string, std::string>>;

  explicit ChildEnvironment(const Changes& changes = {},
                            ProxyPasswords passwords = ProxyPasswords::removed);

  // Returns the array that execve() expects; valid while this object lives.
  char* const* get() const { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

// Returns whether the value of a variable is a secret, or contains one.
bool is_secret_variable(std::string_view name, std::string_view value);

// Moves the values of secret variables to memory that /proc/PID/environ does not show; getenv()
// still finds them. Removes SSLKEYLOGFILE, since a program that has the keys of a connection can
// read the token in a recording of it. Call first, in main.
void hide_secret_variables() noexcept;

}  // namespace mayfly
