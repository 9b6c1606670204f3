// The signed answer to "which application is this?".
#include "metadata.hpp"

#include <cctype>
#include <nlohmann/json.hpp>

namespace edge {
namespace {

using nlohmann::json;

json claims_for(const Visit& visit) {
  const Application& application = *visit.application;
  json claims = {{"type", "match"},
                 {"hostname", visit.request.host},
                 {"auth_domain", application.team_domain()},
                 {"aud", application.aud},
                 {"iat", visit.edge.tokens.now()}};
  if (application.app_hostname) claims["app_hostname"] = application.hostname;
  return claims;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

void spoil_domain(json& claims, const std::string& fault, const std::string& value) {
  const std::string domain = claims["auth_domain"];
  if (fault == "auth_domain_userinfo") {
    claims["auth_domain"] = value.empty() ? domain + "@evil.example" : value;
  } else if (fault == "auth_domain_evil") {
    claims["auth_domain"] = "evilcloudflareaccess.com";
  } else if (fault == "auth_domain_path") {
    claims["auth_domain"] = "evil.example/.cloudflareaccess.com";
  } else if (fault == "auth_domain_port") {
    claims["auth_domain"] = domain + ":8443";
  } else if (fault == "auth_domain_upper") {
    claims["auth_domain"] = upper(domain);
  } else if (fault == "auth_domain") {
    claims["auth_domain"] = value;
  }
}

void spoil_claims(json& claims, const std::string& fault) {
  if (fault == "wrong_host") claims["hostname"] = "other.example.com";
  if (fault == "old_iat") claims["iat"] = claims["iat"].get<long>() - 25 * 3600;
  if (fault == "future_iat") claims["iat"] = claims["iat"].get<long>() + 3600;
  if (fault == "no_iat") claims.erase("iat");
  if (fault == "wrong_type") claims["type"] = "app";
  if (fault == "empty_aud") claims["aud"] = "";
  if (fault == "no_aud") claims.erase("aud");
  if (fault == "traversal") {
    claims["app_hostname"] = "../../../outside";
    claims["aud"] = "../outside";
  }
}

}  // namespace

std::optional<std::string> metadata_for(Visit& visit) {
  const auto flaw = visit.fault_in("metadata");
  const std::string fault = flaw ? flaw->name.substr(flaw->name.find('.') + 1) : std::string();
  if (fault == "slow") visit.delay += flaw->seconds;
  if (fault == "missing_header") return std::nullopt;
  if (fault == "garbage") return "not.a.token";
  json claims = claims_for(visit);
  spoil_claims(claims, fault);
  if (flaw) spoil_domain(claims, fault, flaw->value);
  if (fault == "huge") claims["padding"] = std::string(48 * 1024, 'x');
  Minting minting{visit.application->team, claims.dump(), "", "", false};
  if (fault == "bad_signature") minting.spoil_signature = true;
  if (fault == "alg_none") minting.algorithm = "none";
  if (fault == "alg_hs256") minting.algorithm = "HS256";
  if (fault == "unknown_kid") minting.header = R"({"kid":"0000000000000000"})";
  if (fault == "no_kid") minting.header = R"({"kid":null})";
  return visit.edge.tokens.mint(minting);
}

}  // namespace edge
