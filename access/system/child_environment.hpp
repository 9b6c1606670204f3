// The environment of the programs that mayfly starts, and what it may tell them.
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
  // A program that does not go to proxies by these variables has no use for a password in them.
  enum class ProxyPasswords { removed, kept };
  using Changes = std::vector<std::pair<std::string, std::string>>;

  explicit ChildEnvironment(const Changes& changes = {},
                            ProxyPasswords passwords = ProxyPasswords::removed);

  // As execve takes it; valid while this object lives.
  char* const* get() const { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

// Whether the value of a variable is a secret, or holds one.
bool is_secret_variable(std::string_view name, std::string_view value);

// Moves the values of secret variables to memory that /proc/PID/environ does not show; getenv()
// still finds them. Takes SSLKEYLOGFILE out: whoever reads the keys of a connection can read the
// token in a record of it. Call first, in main.
void hide_secret_variables() noexcept;

}  // namespace mayfly
