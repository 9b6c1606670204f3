#include "access/identity/inventory.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "access/core/encoding.hpp"
#include "access/core/error.hpp"
#include "access/core/json.hpp"
#include "access/core/secret.hpp"
#include "access/identity/oauth_store.hpp"
#include "access/identity/token_store.hpp"

namespace mayfly {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{128} * 1024;

bool is_team(std::string_view stem) {
  return auth_domain_host(stem) == stem;
}

// Returns the place in front of an audience that the token names.
std::optional<std::string> place_by_claims(std::string_view name, const TokenClaims& claims) {
  const std::string_view stem = stem_of(StateFile::app_token, name).value_or("");
  for (const std::string& audience : claims.audience) {
    if (audience.empty() || stem.size() < audience.size() + 2) continue;
    if (stem.ends_with("-" + audience))
      return std::string(stem.substr(0, stem.size() - audience.size() - 1));
  }
  return std::nullopt;
}

struct Content {
  std::optional<TokenClaims> claims;
  std::string objection;
};

Content read_content(const StateDirectory& state, const std::string& name) {
  try {
    auto file = state.read(name, kMaxFileBytes);
    if (!file) return {std::nullopt, "it is gone"};
    std::string_view text = file->content;
    if (text.ends_with('\n')) text.remove_suffix(1);
    auto claims = read_token(text);
    wipe(file->content);
    if (!claims) return {std::nullopt, fmt::format("{} holds no token", state.path_of(name))};
    return {std::move(claims), ""};
  } catch (const Error& error) {
    return {std::nullopt, error.message()};
  }
}

TokenFile team_token(const StateDirectory& state, const std::string& name,
                     const std::string& team) {
  Content content = read_content(state, name);
  if (content.claims && content.claims->issuer != issuer_of(team))
    content = {std::nullopt, fmt::format("{} holds another team's token", state.path_of(name))};
  return {name, TokenFile::Kind::team, team, std::move(content.claims),
          std::move(content.objection)};
}

std::optional<TokenFile> application_token(const StateDirectory& state, const std::string& name) {
  Content content = read_content(state, name);
  auto place = content.claims ? place_by_claims(name, *content.claims) : std::nullopt;
  if (!place && content.claims)
    content = {std::nullopt,
               fmt::format("{} holds another application's token", state.path_of(name))};
  if (!place) place = place_in_token_name(name);
  if (!place) return std::nullopt;
  return TokenFile{name, TokenFile::Kind::application, std::move(*place), std::move(content.claims),
                   std::move(content.objection)};
}

std::optional<RememberedApplication> remembered(const StateDirectory& state,
                                                const std::string& name, std::string_view place) {
  try {
    const auto file = state.read(name, kMaxFileBytes);
    const auto jwt = file ? parse_jwt(file->content) : std::nullopt;
    const auto claims = jwt ? parse_json(jwt->payload) : std::nullopt;
    if (!claims) return std::nullopt;
    const auto claim = [&](const char* key) { return string_member(*claims, key).value_or(""); };
    const auto team = auth_domain_host(claim("auth_domain"));
    if (!team || claim("aud").empty() || claim("hostname").empty()) return std::nullopt;
    const std::string defined = claim("app_hostname");
    Application application{*team, claim("aud"), defined.empty() ? claim("hostname") : defined};
    app_token_file(application);  // throws when the claims make no file name
    return RememberedApplication{name, std::string(place), claim("hostname"),
                                 std::move(application)};
  } catch (const Error&) {
    return std::nullopt;
  }
}

OauthFile oauth_file(const StateDirectory& state, const std::string& name, const StateName& found) {
  OauthFile file{.name = name,
                 .kind = found.kind == StateFile::oauth_grant ? OauthFile::Kind::grant
                                                              : OauthFile::Kind::client,
                 .place = std::string(found.stem)};
  if (file.kind == OauthFile::Kind::client) return file;
  try {
    if (const auto grant = read_oauth_grant(state, name))
      file.grant = {grant->application.hostname, grant->application.audience, grant->tokens.expires,
                    !grant->tokens.refresh.empty()};
  } catch (const Error&) {
    // It is listed as one that holds no grant.
  }
  return file;
}

void add_file(Inventory& inventory, const StateDirectory& state, const std::string& name,
              const StateName& found) {
  const bool is_team_token = found.kind == StateFile::org_token && is_team(found.stem);
  if (is_team_token) {
    inventory.tokens.push_back(team_token(state, name, std::string(found.stem)));
  } else if (found.kind == StateFile::app_token || found.kind == StateFile::org_token) {
    if (auto token = application_token(state, name)) inventory.tokens.push_back(*token);
  } else if (found.kind == StateFile::application) {
    if (auto known = remembered(state, name, found.stem)) inventory.applications.push_back(*known);
  } else if (found.kind == StateFile::key_set && is_team(found.stem)) {
    inventory.key_sets.emplace_back(found.stem);
  } else if (found.kind == StateFile::oauth_grant || found.kind == StateFile::oauth_client) {
    inventory.oauth_files.push_back(oauth_file(state, name, found));
  } else if (found.kind == StateFile::service_team) {
    inventory.service_tokens.emplace_back(found.stem);
  }
}

}  // namespace

Inventory take_inventory(const StateDirectory& state) {
  Inventory inventory;
  std::set<std::string> bases;
  for (const std::string& name : state.list()) {
    const auto found = recognise(name);
    if (!found) continue;
    if (found->kind == StateFile::lock || found->kind == StateFile::url)
      bases.emplace(found->stem);
    else
      add_file(inventory, state, name, *found);
  }
  inventory.lock_bases.assign(bases.begin(), bases.end());
  return inventory;
}

std::string hostname_at(std::string_view place, const Inventory& inventory) {
  for (const RememberedApplication& known : inventory.applications)
    if (file_name(known.application.hostname) == place) return known.application.hostname;
  return place.starts_with("-.") ? "*" + std::string(place.substr(1)) : std::string(place);
}

std::optional<std::string> place_in_token_name(std::string_view name) {
  constexpr std::size_t audience_size = 64;
  const auto named = stem_of(StateFile::app_token, name);
  if (!named || named->size() < audience_size + 2) return std::nullopt;
  const auto audience = named->substr(named->size() - audience_size);
  const auto place = named->substr(0, named->size() - audience_size - 1);
  const bool is_hex = audience.find_first_not_of(hex_digits) == std::string_view::npos;
  if (!is_hex || (*named)[place.size()] != '-') return std::nullopt;
  return std::string(place);
}

}  // namespace mayfly
