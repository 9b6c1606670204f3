#include "access/identity/oauth_store.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "access/core/error.hpp"
#include "access/core/json.hpp"
#include "access/core/state_names.hpp"
#include "access/identity/place.hpp"

namespace mayfly {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::size_t longest_file = std::size_t{64} * 1024;

std::string client_file(const Url& url, const Application& application) {
  return state_name(StateFile::oauth_client, place_of(application, url));
}

std::optional<json> read_object(const StateDirectory& state, std::string_view name) {
  auto file = state.read(name, longest_file);
  if (!file) return std::nullopt;
  auto object = parse_json(file->content);
  wipe(file->content);
  if (!object || !object->is_object()) return std::nullopt;
  return object;
}

// json escapes the texts of the file; its copies are wiped as all memory is (wiping_memory.hpp).
void write_object(const StateDirectory& state, const std::string& name, const json& object) {
  std::string text = object.dump() + "\n";
  state.write(name, text);
  wipe(text);
}

std::string text_in(const json& object, const char* name) {
  return string_member(object, name).value_or("");
}

std::optional<Url> endpoint_in(const json& object, const char* name, const Url& url,
                               const Application& application) {
  try {
    const Url endpoint = parse_url(text_in(object, name));
    if (is_oauth_endpoint(endpoint, url, application)) return endpoint;
  } catch (const Error&) {
  }
  return std::nullopt;
}

std::optional<OauthGrant> grant_in(const json& object) try {
  OauthGrant grant;
  grant.origin = text_in(object, "origin");
  grant.application = {text_in(object, "team_domain"), text_in(object, "audience"),
                       text_in(object, "application")};
  grant.client = text_in(object, "client_id");
  grant.resource = text_in(object, "resource");
  grant.tokens = {.access = Secret(text_in(object, "access_token")),
                  .refresh = Secret(text_in(object, "refresh_token")),
                  .expires = sys_seconds(seconds(integer_member(object, "expires").value_or(0)))};
  const Url url = parse_url(grant.origin);
  const auto token = endpoint_in(object, "token_endpoint", url, grant.application);
  const bool is_team =
      auth_domain_host(grant.application.auth_domain) == grant.application.auth_domain;
  if (!token || !is_team || grant.application.audience.empty() || grant.client.empty())
    return std::nullopt;
  grant.token = *token;
  grant.revocation = endpoint_in(object, "revocation_endpoint", url, grant.application);
  return grant;
} catch (const Error&) {
  return std::nullopt;
}

}  // namespace

std::string oauth_grant_file(const Url& url, const Application& application) {
  return state_name(StateFile::oauth_grant, place_of(application, url));
}

std::optional<OauthGrant> read_oauth_grant(const StateDirectory& state, std::string_view file) {
  const auto object = read_object(state, file);
  return object ? grant_in(*object) : std::nullopt;
}

std::optional<OauthGrant> load_oauth_grant(const StateDirectory& state, const Url& url,
                                           const Application& application) {
  auto grant = read_oauth_grant(state, oauth_grant_file(url, application));
  if (!grant || grant->origin != url.origin() || grant->application != application)
    return std::nullopt;
  return grant;
}

void save_oauth_grant(const StateDirectory& state, const OauthGrant& grant) {
  json object = {{"origin", grant.origin},
                 {"application", grant.application.hostname},
                 {"audience", grant.application.audience},
                 {"team_domain", grant.application.auth_domain},
                 {"client_id", grant.client},
                 {"resource", grant.resource},
                 {"token_endpoint", grant.token.text()},
                 {"access_token", std::string(grant.tokens.access.reveal())},
                 {"refresh_token", std::string(grant.tokens.refresh.reveal())},
                 {"expires", grant.tokens.expires.time_since_epoch().count()}};
  if (grant.revocation) object["revocation_endpoint"] = grant.revocation->text();
  Url url = parse_url(grant.resource);
  write_object(state, oauth_grant_file(url, grant.application), object);
}

void remove_oauth_grant(const StateDirectory& state, const OauthGrant& grant) {
  const std::string file = oauth_grant_file(parse_url(grant.resource), grant.application);
  const auto stored = read_oauth_grant(state, file);
  if (stored && stored->tokens.refresh == grant.tokens.refresh) state.remove(file);
}

std::optional<std::string> load_oauth_client(const StateDirectory& state, const Url& url,
                                             const Application& application,
                                             std::string_view issuer) {
  const auto object = read_object(state, client_file(url, application));
  if (!object || text_in(*object, "issuer") != issuer ||
      text_in(*object, "audience") != application.audience)
    return std::nullopt;
  const std::string client = text_in(*object, "client_id");
  return client.empty() ? std::nullopt : std::optional(client);
}

void save_oauth_client(const StateDirectory& state, const Url& url, const Application& application,
                       std::string_view issuer, std::string_view client) {
  write_object(state, client_file(url, application),
               {{"issuer", issuer}, {"audience", application.audience}, {"client_id", client}});
}

void remove_oauth_client(const StateDirectory& state, const Url& url,
                         const Application& application) {
  state.remove(client_file(url, application));
}

}  // namespace mayfly
