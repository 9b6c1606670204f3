// The RSA keys that sign each team's tokens, and their JWKS.
#include "key_ring.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

namespace edge {
namespace {

SigningKey named(Key key) {
  std::string kid = hex(sha256(public_pem(key.get())));
  return {std::move(kid), std::move(key)};
}

}  // namespace

nlohmann::json jwk(const std::string& kid, EVP_PKEY* key) {
  return {{"kty", "RSA"},
          {"alg", "RS256"},
          {"use", "sig"},
          {"kid", kid},
          {"n", base64url(rsa_parameter(key, "n"))},
          {"e", base64url(rsa_parameter(key, "e"))}};
}

const SigningKey& KeyRing::current(const std::string& team) {
  return keys(team).back();
}

const SigningKey* KeyRing::find(const std::string& team, const std::string& kid) {
  for (const SigningKey& key : keys(team)) {
    if (key.kid == kid) return &key;
  }
  return nullptr;
}

nlohmann::json KeyRing::jwks(const std::string& team) {
  nlohmann::json list = nlohmann::json::array();
  for (const SigningKey& key : keys(team)) list.push_back(jwk(key.kid, key.key.get()));
  return {{"keys", std::move(list)}};
}

void KeyRing::rotate(const std::string& team, Old old) {
  auto& ring = keys(team);
  if (old == Old::drop) {
    for (std::size_t i = 1; std::filesystem::remove(path(team, i)); ++i) continue;
    ring.clear();
  }
  ring.push_back(named(generate_rsa(2048)));
  write_private_key(path(team, ring.size()), ring.back().key.get());
}

std::vector<std::string> KeyRing::teams() const {
  std::vector<std::string> names;
  for (const auto& [team, ring] : teams_) names.push_back(team);
  return names;
}

std::vector<SigningKey>& KeyRing::keys(const std::string& team) {
  auto& ring = teams_[team];
  if (!ring.empty()) return ring;
  for (std::size_t i = 1; std::filesystem::exists(path(team, i)); ++i) {
    ring.push_back(named(read_private_key(path(team, i))));
  }
  if (ring.empty()) {
    ring.push_back(named(generate_rsa(2048)));
    write_private_key(path(team, 1), ring.back().key.get());
  }
  return ring;
}

std::string KeyRing::path(const std::string& team, std::size_t number) const {
  return directory_ + "/" + team + "-" + std::to_string(number) + ".pem";
}

}  // namespace edge
