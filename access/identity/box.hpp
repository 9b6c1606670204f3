// The NaCl box (X25519, XSalsa20-Poly1305) that a credential travels in.
#pragma once

#include <optional>
#include <string_view>

#include "access/core/secret.hpp"

namespace mayfly {

struct BoxKeyPair {
  std::string public_key;  // 32 bytes
  Secret secret_key;       // 32 bytes

  static BoxKeyPair generate();
};

// sealed: nonce(24) || crypto_box; sender: exactly 32 bytes. Nothing when it does not open.
std::optional<Secret> open_box(std::string_view sealed, std::string_view sender,
                               const Secret& secret_key);

}  // namespace mayfly
