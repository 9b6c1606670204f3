// Making, checking and revoking the tokens of applications and teams.
#include "token.hpp"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

namespace edge {
namespace {

using nlohmann::json;

std::string subject(const std::string& email) {
  if (email.empty()) return "";
  const std::string digest = hex(sha256(email));
  return digest.substr(0, 8) + "-" + digest.substr(8, 4) + "-4" + digest.substr(13, 3) + "-a" +
         digest.substr(17, 3) + "-" + digest.substr(20, 12);
}

json parse_part(std::string_view part) {
  return json::parse(unbase64(part), nullptr, false);
}

bool names_audience(const json& claims, const std::string& aud) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  return found->is_array() ? std::find(found->begin(), found->end(), json(aud)) != found->end()
                           : *found == aud;
}

// Tests mint tokens with claims of any type; those that are read here have to be strings.
bool readable(const json& claims) {
  for (const char* name : {"type", "email", "common_name", "identity_nonce", "iss"}) {
    if (claims.contains(name) && !claims[name].is_string()) return false;
  }
  return claims.contains("exp") && claims["exp"].is_number_integer();
}

Identity identity_of(const json& claims) {
  return {claims.value("email", ""), claims.value("common_name", ""),
          claims.value("identity_nonce", "")};
}

}  // namespace

long Tokens::now() const {
  return std::time(nullptr) + skew_;
}

std::string Tokens::mint(const Minting& minting) {
  const SigningKey& key = keys_.current(minting.team);
  const std::string algorithm = minting.algorithm.empty() ? "RS256" : minting.algorithm;
  json header = {{"alg", algorithm}, {"kid", key.kid}, {"typ", "JWT"}};
  if (!minting.header.empty()) header.merge_patch(json::parse(minting.header));
  const std::string text = base64url(header.dump()) + "." + base64url(minting.claims);
  std::string signature;
  if (algorithm == "HS256") {
    signature = hmac_sha256(public_pem(key.key.get()), text);
  } else if (algorithm != "none") {
    signature = sign_rs256(key.key.get(), text);
  }
  if (minting.spoil_signature && !signature.empty()) {
    signature[signature.size() / 2] = static_cast<char>(signature[signature.size() / 2] ^ 1);
  }
  return text + "." + base64url(signature);
}

json Tokens::app_claims(const Application& application, const Identity& identity, long seconds) {
  const std::string nonce = base64url(random_bytes(12));
  issued_[nonce] = {TokenKind::app, application.team, application.name, identity.email, {}};
  json claims = {{"aud", {application.aud}},
                 {"exp", now() + seconds},
                 {"iat", now()},
                 {"nbf", now()},
                 {"iss", "https://" + application.team_domain()},
                 {"type", "app"},
                 {"identity_nonce", nonce},
                 {"sub", subject(identity.email)}};
  if (identity.email.empty()) {
    claims["common_name"] = identity.common_name;
  } else {
    claims["email"] = identity.email;
    claims["country"] = "DE";
  }
  return claims;
}

json Tokens::org_claims(const std::string& team, const std::string& email, long seconds) {
  const std::string nonce = base64url(random_bytes(12));
  issued_[nonce] = {TokenKind::org, team, "", email, {}};
  return {{"aud", hex(sha256("team:" + team))},
          {"email", email},
          {"exp", now() + seconds},
          {"iat", now()},
          {"nbf", now()},
          {"iss", "https://" + team + std::string(team_suffix)},
          {"type", "org"},
          {"identity_nonce", nonce},
          {"sub", subject(email)}};
}

std::string Tokens::mint_app(const Application& application, const Identity& identity,
                             long seconds) {
  return mint({application.team, app_claims(application, identity, seconds).dump(), "", "", false});
}

std::string Tokens::mint_org(const std::string& team, const std::string& email, long seconds) {
  return mint({team, org_claims(team, email, seconds).dump(), "", "", false});
}

json Tokens::open(const std::string& team, const std::string& token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string::npos ? first : token.find('.', first + 1);
  if (second == std::string::npos) return nullptr;
  const json header = parse_part(std::string_view(token).substr(0, first));
  const json claims = parse_part(std::string_view(token).substr(first + 1, second - first - 1));
  if (!header.is_object() || !claims.is_object() || !readable(claims)) return nullptr;
  const json kid = header.value("kid", json(""));
  if (header.value("alg", json()) != "RS256" || !kid.is_string()) return nullptr;
  const SigningKey* key = keys_.find(team, kid.get<std::string>());
  const std::string signature = unbase64(std::string_view(token).substr(second + 1));
  if (key == nullptr || !verify_rs256(key->key.get(), token.substr(0, second), signature)) {
    return nullptr;
  }
  if (claims.value("iss", "") != "https://" + team + std::string(team_suffix)) return nullptr;
  if (claims.value("exp", 0L) <= now()) return nullptr;
  const auto issue = issued_.find(claims.value("identity_nonce", ""));
  if (issue == issued_.end()) return claims;
  const auto& revoked_from = issue->second.revoked_from;
  if (revoked_from && *revoked_from <= now()) return nullptr;
  return claims;
}

std::optional<Identity> Tokens::check_app(const Application& application,
                                          const std::string& token) {
  const json claims = open(application.team, token);
  if (claims.is_null() || claims.value("type", "") != "app") return std::nullopt;
  if (!names_audience(claims, application.aud)) return std::nullopt;
  return identity_of(claims);
}

std::optional<Identity> Tokens::check_org(const std::string& team, const std::string& token) {
  const json claims = open(team, token);
  if (claims.is_null() || claims.value("type", "") != "org") return std::nullopt;
  return identity_of(claims);
}

std::size_t Tokens::revoke(const Revocation& revocation) {
  std::size_t count = 0;
  for (auto& [nonce, issue] : issued_) {
    const bool kind = issue.kind == TokenKind::app ? revocation.app : revocation.org;
    const bool application =
        revocation.application.empty() || issue.application == revocation.application;
    const bool team = revocation.team.empty() || issue.team == revocation.team;
    const bool person = revocation.email.empty() || issue.email == revocation.email;
    const bool already = issue.revoked_from && *issue.revoked_from <= revocation.from;
    if (already || !kind || !application || !team || !person) continue;
    issue.revoked_from = revocation.from;
    ++count;
  }
  return count;
}

void Tokens::forget_revocations() {
  for (auto& [nonce, issue] : issued_) issue.revoked_from.reset();
}

}  // namespace edge
