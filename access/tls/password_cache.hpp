// Passwords of keys and PINs of tokens: each asked for at most once, and remembered for when the
// key is needed again.
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "access/core/secret.hpp"

namespace mayfly {

// what: see PasswordCache::of().
using AskPassword = std::function<Secret(const std::string& what)>;

// The password of one source. Lives as long as its key, since a token may want the PIN again later.
class Password {
 public:
  Password(const AskPassword& ask, std::string what) : ask_(ask), what_(std::move(what)) {}

  const Secret& get();

  // What happened since begin(): whether it was wanted, and whether there was one.
  void begin() noexcept { wanted_ = false, thrown_ = nullptr; }
  bool wanted() const noexcept { return wanted_; }
  bool known() const noexcept { return answer_ && !answer_->empty(); }
  // Throws what the asking threw inside OpenSSL.
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

  // A pem_password_cb; user is a Password.
  static int on_pem(char* buffer, int size, int writing, void* user) noexcept;

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

  // what: "password of FILE", "PIN of URI", fit to be shown; begun.
  Password& of(const std::string& what);

 private:
  AskPassword ask_;
  std::map<std::string, Password> passwords_;
};

}  // namespace mayfly
