// A team's published keys.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "access/core/encoding.hpp"
#include "access/core/json.hpp"
#include "access/jwt/jwks.hpp"
#include "fuzz.hpp"
#include "property.hpp"
#include "signing_key.hpp"

namespace mayfly::fuzz {
namespace {

// The modulus of the key that signed, as this entry spells it: leading zeros do not count.
bool holds_the_modulus(const nlohmann::json& entry) {
  const auto modulus = base64_decode(string_member(entry, "n").value_or(""), Base64::url_unpadded);
  if (!modulus) return false;
  const auto start = std::min(modulus->find_first_not_of('\0'), modulus->size());
  return base64_encode(modulus->substr(start), Base64::url_unpadded) == SigningKey::modulus();
}

// RFC 7517 section 4.3.
bool may_verify(const nlohmann::json& entry) {
  if (!entry.contains("key_ops")) return true;
  const auto& operations = entry.at("key_ops");
  return operations.is_array() &&
         std::count(operations.begin(), operations.end(), nlohmann::json("verify")) == 1;
}

bool names_the_signing_key(const nlohmann::json& key_set) {
  for (const auto& entry : key_set.at("keys"))
    if (string_member(entry, "kid") == SigningKey::id && holds_the_modulus(entry) &&
        may_verify(entry))
      return true;
  return false;
}

const Harness harness("jwks", [](std::string_view input) {
  static const Jwt genuine = *parse_jwt(SigningKey::sign(R"({"sub":"somebody"})"));
  static const Jwt changed = [] {
    Jwt jwt = genuine;
    jwt.signing_input += "A";
    return jwt;
  }();
  const auto keys = KeySet::parse(input);
  if (!keys) return;
  require(!keys->verifies(changed), "a changed token does not verify");
  if (keys->verifies(genuine))
    require(names_the_signing_key(nlohmann::json::parse(input)), "only its own key verifies");
});

}  // namespace
}  // namespace mayfly::fuzz
