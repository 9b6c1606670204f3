// Waits for the login of another process, so that one login happens at a time (docs/protocol.md
// section 5).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "access/curl/http.hpp"
#include "access/identity/login_options.hpp"
#include "access/identity/logout_guard.hpp"
#include "access/system/files.hpp"
#include "access/system/lock.hpp"

namespace mayfly {

// Holds what a login needs of the command that begins it. The members outlive it.
struct LoginParts {
  const StateDirectory& state;
  const Send& send;
  const LoginPrompt& prompt;
  const CredentialOptions& options;
  const LogoutGuard& logouts;
};

class LoginTurn {
 public:
  explicit LoginTurn(const LoginParts& parts) : parts_(parts) {}

  enum class Waiting { person, machine };
  // Waits for the lock of this file. Returns nullopt if satisfied() became true, or if a machine
  // has waited enough or would have to wait for a person.
  std::optional<LoginLock> wait(const std::string& file, Waiting waiting,
                                const std::function<bool()>& satisfied) const;

 private:
  LoginParts parts_;
};

}  // namespace mayfly
