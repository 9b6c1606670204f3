#include "access/tls/password_cache.hpp"

#include <cstring>

namespace mayfly {

const Secret& Password::get() {
  wanted_ = true;
  if (!answer_) answer_ = ask_ ? ask_(what_) : Secret();
  return *answer_;
}

int Password::on_pem(char* buffer, int size, int /*writing*/, void* user) noexcept {
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

Password& PasswordCache::of(const std::string& what) {
  Password& password = passwords_.try_emplace(what, ask_, what).first->second;
  password.begin();
  return password;
}

}  // namespace mayfly
