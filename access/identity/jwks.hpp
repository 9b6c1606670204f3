// A team's public keys, and the check of an RS256 signature against them (RFC 7517, RFC 7518
// section 3.3).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/identity/jwt.hpp"

namespace mayfly {

class KeySet {
 public:
  // RSA keys with 2048 bits and more, public exponent odd and above 2; keys of other kinds, and
  // those whose "use", "key_ops" or "alg" speak of other work, are passed over. Nothing when the
  // text is no {"keys":[...]} or holds more than 64 keys.
  static std::optional<KeySet> parse(std::string_view json);

  bool empty() const noexcept { return keys_.empty(); }
  // True when the key that jwt.key_id names signed it.
  bool verifies(const Jwt& jwt) const;

 private:
  struct Key {
    std::string id;
    std::shared_ptr<void> handle;  // EVP_PKEY
  };
  std::vector<Key> keys_;
};

}  // namespace mayfly
