// The metadata of the authorization server (RFC 8414), and of the resource in Access's own form of
// RFC 9728.
#include <nlohmann/json.hpp>

#include "oauth.hpp"

namespace edge {
namespace {

using nlohmann::json;

constexpr std::string_view resource_prefix = "/.well-known/cloudflare-access-protected-resource";
constexpr const char* server_path = "/.well-known/oauth-authorization-server";

bool team_has_oauth(const Config& config, const std::string& team) {
  for (const auto& [name, application] : config.applications) {
    if (application->team == team && application->oauth.enabled) return true;
  }
  return false;
}

json describe_server(Visit& visit, const std::string& host, const ManagedOauth* oauth) {
  const std::string base = "https://" + host + oauth_path;
  json result = {{"issuer", "https://" + host},
                 {"authorization_endpoint", base + "authorization"},
                 {"token_endpoint", base + "token"},
                 {"revocation_endpoint", base + "revoke"},
                 {"jwks_uri", "https://" + host + "/cdn-cgi/access/certs"},
                 {"response_types_supported", {"code"}},
                 {"response_modes_supported", {"query"}},
                 {"grant_types_supported", {"authorization_code", "refresh_token"}},
                 {"token_endpoint_auth_methods_supported",
                  {"client_secret_basic", "client_secret_post", "none"}},
                 {"code_challenge_methods_supported", {"S256"}}};
  if (oauth != nullptr) result["registration_endpoint"] = base + "registration";
  if (oauth != nullptr && oauth->iss) {
    result["authorization_response_iss_parameter_supported"] = true;
  }
  if (visit.fault("oauth.issuer_without_scheme")) result["issuer"] = host;
  if (visit.fault("oauth.foreign_issuer")) result["issuer"] = "https://evil.example";
  if (visit.fault("oauth.no_registration")) result.erase("registration_endpoint");
  if (visit.fault("oauth.no_s256")) result["code_challenge_methods_supported"] = {"plain"};
  if (const auto fault = visit.fault("oauth.foreign_endpoint")) {
    result["token_endpoint"] = fault->value.empty() ? "https://evil.example/token" : fault->value;
  }
  return result;
}

Answer show_server(Visit& visit, const std::string& host, const ManagedOauth* oauth) {
  visit.slow("oauth.slow");
  if (visit.fault("oauth.500")) return answer(respond_json(500, R"({"error":"server_error"})"));
  if (visit.fault("oauth.garbage")) return answer(respond_json(200, R"({"issuer":)"));
  if (visit.fault("oauth.huge")) {
    return answer(respond_json(200, std::string(std::size_t{4} << 20, ' ')));
  }
  return answer(respond_json(200, describe_server(visit, host, oauth).dump()));
}

std::string server_host(const Visit& visit) {
  const Application& application = *visit.application;
  return application.oauth.issuer == OauthIssuer::host ? visit.request.host
                                                       : application.team_domain();
}

Answer show_resource(const Visit& visit, std::string path) {
  if (path == "/") path.clear();
  const json method = {
      {"name", "cloudflared"},
      {"description", "Use `cloudflared access` to obtain a token for this application."},
      {"documentation", "https://developers.cloudflare.com/cloudflare-one/tutorials/cli/"}};
  const json body = {{"resource", "https://" + visit.request.host + path},
                     {"protected", true},
                     {"team_domain", visit.application->team_domain()},
                     {"authorization_servers", {"https://" + server_host(visit)}},
                     {"authentication_methods",
                      visit.application->oauth.alone ? json::array() : json::array({method})}};
  return answer(respond_json(200, body.dump()));
}

bool is_guarded(const Application& application) {
  return application.policy != Policy::none && application.policy != Policy::bypass;
}

// The document about the resource at `path`, if an application of ours is there.
std::optional<Answer> find_resource_document(Visit& visit, const std::string& path) {
  if (!path.empty() && path[0] != '/') return std::nullopt;
  const auto found = visit.edge.config.find(visit.request.host, path.empty() ? "/" : path);
  if (!found || !is_guarded(*found)) return std::nullopt;
  visit.application = found;
  visit.entry.application = found->name;
  return show_resource(visit, path);
}

std::optional<Answer> find_server_document(Visit& visit) {
  for (const auto& [name, application] : visit.edge.config.applications) {
    if (!application->oauth.enabled || !is_guarded(*application)) continue;
    if (visit.edge.config.find(visit.request.host, application->path) != application) continue;
    visit.application = application;
    visit.entry.application = name;
    return show_server(visit, server_host(visit), &application->oauth);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Answer> route_well_known(Visit& visit) {
  const std::string& path = visit.request.path;
  const std::string& host = visit.request.host;
  if (host.ends_with(team_suffix)) {
    const std::string team = host.substr(0, host.size() - team_suffix.size());
    if (path != server_path || !visit.edge.config.has_team(team)) return std::nullopt;
    const ManagedOauth* settings = nullptr;
    static const ManagedOauth plain{};
    if (team_has_oauth(visit.edge.config, team)) settings = &plain;
    for (const auto& [name, application] : visit.edge.config.applications) {
      if (application->team == team && application->oauth.enabled && application->oauth.iss) {
        settings = &application->oauth;
      }
    }
    return show_server(visit, host, settings);
  }
  if (path.starts_with(resource_prefix)) {
    return find_resource_document(visit, path.substr(resource_prefix.size()));
  }
  if (path == server_path) return find_server_document(visit);
  return std::nullopt;
}

}  // namespace edge
