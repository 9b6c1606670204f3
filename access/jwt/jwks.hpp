// A team's public keys, and the check of an RS256 signature against them (RFC 7517, RFC 7518
// section 3.3).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/jwt/jwt.hpp"

namespace mayfly {

class KeySet {
 public:
  // Takes RSA keys of at least 2048 bits with an odd public exponent above 2. Skips other kinds of
  // keys, and those whose "use", "key_ops" or "alg" name another purpose. Returns nullopt if the
  // text is not {"keys":[...]} or has more than 64 keys.
  static std::optional<KeySet> parse(std::string_view json);

  bool empty() const noexcept { return keys_.empty(); }
  // Returns whether the key with the id jwt.key_id signed it.
  bool verifies(const Jwt& jwt) const;

 private:
  struct Key {
    std::string id;
    std::shared_ptr<void> handle;  // EVP_PKEY
  };
  std::vector<Key> keys_;
};

}  // namespace mayfly
