// Wycheproof: X25519, on which the box of the transfer service rests (crypto_box of NaCl).
#include <doctest/doctest.h>
#include <sodium.h>

#include <nlohmann/json.hpp>

#include "access/core/secret.hpp"
#include "access/identity/transfer.hpp"
#include "tests/vectors/vectors.hpp"

namespace {

const unsigned char* bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Seals a text with the key that both sides derive from the shared secret of the vector
// (crypto_box: HSalsa20 of it).
std::string sealed_with(const std::string& shared, const std::string& text) {
  std::string key(crypto_core_hsalsa20_OUTPUTBYTES, '\0');
  const std::string zeros(crypto_core_hsalsa20_INPUTBYTES, '\0');
  crypto_core_hsalsa20(reinterpret_cast<unsigned char*>(key.data()), bytes(zeros), bytes(shared),
                       nullptr);
  const std::string nonce(crypto_box_NONCEBYTES, 'n');
  std::string box(text.size() + crypto_box_MACBYTES, '\0');
  crypto_box_easy_afternm(reinterpret_cast<unsigned char*>(box.data()), bytes(text), text.size(),
                          bytes(nonce), bytes(key));
  return nonce + box;
}

}  // namespace

TEST_CASE("vectors: Wycheproof, X25519 in the box of the transfer service") {
  vectors::Verdicts verdicts("x25519");
  const std::string nothing(32, '\0');
  for (const nlohmann::json& test : vectors::data("x25519")) {
    const std::string sender = vectors::from_hex(test[2].get<std::string>());
    const std::string shared = vectors::from_hex(test[4].get<std::string>());
    const auto opened =
        mayfly::open_box(sealed_with(shared, "both tokens"), sender,
                         mayfly::Secret(vectors::from_hex(test[3].get<std::string>())));
    const bool opens = opened && opened->reveal() == "both tokens";
    // A shared secret of zeros is known to everybody: such a sender proves nothing (RFC 7748
    // section 6.1).
    verdicts.judge(std::to_string(test[0].get<int>()), opens == (shared != nothing));
  }
  verdicts.finish(518);
}
