// Passwords of private keys and PINs of PKCS#11 tokens: each is asked for at most once, and kept in
// case the key is needed again.
#pragma once

#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "access/core/secret.hpp"

namespace mayfly {

// Asks for the secret called `what`: "password of FILE" or "PIN of URI". An empty answer means that
// there is none.
using AskPassword = std::function<Secret(const std::string& what)>;

// One password. It has to outlive its key, since a PKCS#11 token may ask for the PIN again.
class Password {
 public:
  Password(const AskPassword& ask, std::string what) : ask_(ask), what_(std::move(what)) {}

  // Returns the password, which is asked for at the first call.
  const Secret& get() {
    wanted_ = true;
    if (!answer_) answer_ = ask_ ? ask_(what_) : Secret();
    return *answer_;
  }

  // Forgets wanted() and the exception, before a key is loaded.
  void begin() noexcept { wanted_ = false, thrown_ = nullptr; }
  // Whether the password was needed since begin().
  bool wanted() const noexcept { return wanted_; }
  bool known() const noexcept { return answer_ && !answer_->empty(); }
  // Throws the exception that asking threw inside OpenSSL.
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

  // A pem_password_cb whose user data is a Password.
  static int on_pem(char* buffer, int size, int /*writing*/, void* user) noexcept {
    auto& self = *static_cast<Password*>(user);
    try {
      const std::string_view password = self.get().reveal();
      if (password.empty() || password.size() > static_cast<std::size_t>(size)) return -1;
      std::memcpy(buffer, password.data(), password.size());
      return static_cast<int>(password.size());
    } catch (...) {
      self.thrown_ = std::current_exception();
      return -1;
    }
  }

 private:
  const AskPassword& ask_;
  std::string what_;
  std::optional<Secret> answer_;
  bool wanted_ = false;
  std::exception_ptr thrown_;
};

class PasswordCache {
 public:
  explicit PasswordCache(AskPassword ask) : ask_(std::move(ask)) {}
  PasswordCache(const PasswordCache&) = delete;
  PasswordCache& operator=(const PasswordCache&) = delete;

  // Returns the password called `what` (see AskPassword), after begin().
  Password& of(const std::string& what) {
    Password& password = passwords_.try_emplace(what, ask_, what).first->second;
    password.begin();
    return password;
  }

 private:
  AskPassword ask_;
  std::map<std::string, Password> passwords_;
};

}  // namespace mayfly
