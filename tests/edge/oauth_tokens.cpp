// The endpoints of Managed OAuth for programs: registration (RFC 7591), tokens (RFC 6749),
// revocation (RFC 7009).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "oauth.hpp"

namespace edge {
namespace {

using nlohmann::json;

Answer oauth_answer(int status, const json& body) {
  Response response = respond_json(status, body.dump());
  response.fields.push_back({"Cache-Control", "no-store"});
  response.fields.push_back({"Pragma", "no-cache"});
  return answer(std::move(response));
}

bool has_type(const Request& request, std::string_view type) {
  const std::string given = lower(request.header("content-type"));
  return given == type || given.starts_with(std::string(type) + ";");
}

bool may_register_at(const Config& config, const std::string& team, const OauthClient& client,
                     const std::string& uri) {
  return std::any_of(
      config.applications.begin(), config.applications.end(), [&](const auto& entry) {
        const Application& application = *entry.second;
        const bool meant = client.application.empty() || client.application == application.name;
        return meant && application.team == team && application.oauth.enabled &&
               may_register(application.oauth, uri);
      });
}

bool is_subset(const json& given, const std::vector<std::string>& known) {
  if (!given.is_array()) return false;
  return std::all_of(given.begin(), given.end(), [&](const json& one) {
    return one.is_string() && std::find(known.begin(), known.end(), one) != known.end();
  });
}

// Returns the reason to refuse the metadata of a client, or "".
std::string judge_client(const json& given) {
  const json uris = given.value("redirect_uris", json());
  if (!uris.is_array() || uris.empty()) return "redirect_uris is missing";
  for (const json& uri : uris) {
    if (!uri.is_string()) return "redirect_uris are not texts";
  }
  if (given.value("token_endpoint_auth_method", json()) != "none") {
    return "token_endpoint_auth_method must be none: the clients of this server are public";
  }
  if (!is_subset(given.value("grant_types", json::array()),
                 {"authorization_code", "refresh_token"})) {
    return "grant_types are not supported";
  }
  if (!is_subset(given.value("response_types", json::array()), {"code"})) {
    return "response_types are not supported";
  }
  return given.value("client_name", json("")).is_string() ? "" : "client_name is no text";
}

json describe_client(const Visit& visit, const OauthClient& client, const std::string& id) {
  return {{"client_id", id},
          {"client_id_issued_at", visit.edge.tokens.now()},
          {"client_name", client.name},
          {"redirect_uris", client.redirect_uris},
          {"grant_types", client.grant_types},
          {"response_types", {"code"}},
          {"token_endpoint_auth_method", "none"},
          {"registration_client_uri",
           "https://" + visit.request.host + oauth_path + "registration/" + id}};
}

OauthLifetimes lifetimes_of(const Application& application) {
  const ManagedOauth& oauth = application.oauth;
  return {oauth.code_lifetime, oauth.access_token_lifetime, oauth.session_duration};
}

// Returns the application of the grant, or null if its policy no longer admits the person.
ApplicationPointer application_of_grant(const Config& config,
                                        const std::optional<Grants::Subject>& subject) {
  if (!subject) return nullptr;
  const auto found = config.applications.find(subject->application);
  if (found == config.applications.end() || !found->second->oauth.enabled) return nullptr;
  return may_sign_in(*found->second, subject->email) ? found->second : nullptr;
}

// Returns the client that sends the request, or null. Clients here have no secret.
const OauthClient* client_of(const Visit& visit, const std::map<std::string, std::string>& form) {
  const auto id = form.find("client_id");
  if (id == form.end() || !visit.request.header("authorization").empty()) return nullptr;
  return visit.edge.grants.find_client(id->second);
}

Answer unknown_client() {
  return oauth_error(401, "invalid_client", "the client is unknown");
}

Answer hand_out(Visit& visit, const OauthIssue& issue, const Application& application) {
  if (!issue.error.empty()) return oauth_error(400, issue.error, issue.description);
  json body = {{"access_token", issue.access_token},
               {"token_type", "bearer"},
               {"expires_in", application.oauth.access_token_lifetime},
               {"scope", ""},
               {"resource", issue.resource},
               {"refresh_token", issue.refresh_token}};
  if (visit.fault("oauth_token.no_refresh_token")) body.erase("refresh_token");
  if (visit.fault("oauth_token.garbage")) return answer(respond_json(200, R"({"access_token":)"));
  Answer reply = oauth_answer(200, body);
  if (visit.fault("oauth_token.lost")) reply.action = Action::drop;
  return reply;
}

// RFC 7636 section 4.1.
bool is_verifier(std::string_view text) {
  constexpr std::string_view unreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  return text.size() >= 43 && text.size() <= 128 &&
         text.find_first_not_of(unreserved) == std::string_view::npos;
}

// The resource may be left out; one that is named has to be that of the grant (RFC 8707
// section 2.2).
bool names_other_resource(const Visit& visit, const std::string& resource,
                          const Application& application) {
  if (resource.empty()) return false;
  const auto found = find_resource(visit.edge.config, application.team, resource);
  return !found || found->name != application.name;
}

Answer exchange_code(Visit& visit, std::map<std::string, std::string>& form,
                     const OauthClient& client) {
  for (const char* name : {"code", "redirect_uri", "code_verifier"}) {
    if (form[name].empty()) {
      return oauth_error(400, "invalid_request", std::string(name) + " is missing");
    }
  }
  if (!is_verifier(form["code_verifier"])) {
    return oauth_error(400, "invalid_request", "code_verifier is no verifier (RFC 7636)");
  }
  const auto application =
      application_of_grant(visit.edge.config, visit.edge.grants.subject_of_code(form["code"]));
  if (!application) return oauth_error(400, "invalid_grant", "the code is unknown");
  if (names_other_resource(visit, form["resource"], *application)) {
    return oauth_error(400, "invalid_target", "the resource is not that of the code");
  }
  const OauthIssue issue = visit.edge.grants.exchange_code(
      {client.id, form["code"], form["redirect_uri"], form["code_verifier"]},
      lifetimes_of(*application), visit.edge.tokens.now());
  if (issue.error.empty()) ++visit.edge.stats.code_exchanges;
  return hand_out(visit, issue, *application);
}

Answer refresh_grant(Visit& visit, std::map<std::string, std::string>& form,
                     const OauthClient& client) {
  const std::string& token = form["refresh_token"];
  if (token.empty()) return oauth_error(400, "invalid_request", "refresh_token is missing");
  const auto application =
      application_of_grant(visit.edge.config, visit.edge.grants.subject_of_refresh(token));
  if (!application) return oauth_error(400, "invalid_grant", "the refresh token is not good");
  if (names_other_resource(visit, form["resource"], *application)) {
    return oauth_error(400, "invalid_target", "the resource is not that of the grant");
  }
  const OauthIssue issue = visit.edge.grants.refresh(client.id, token, lifetimes_of(*application),
                                                     visit.edge.tokens.now());
  if (issue.error.empty()) ++visit.edge.stats.refreshes;
  return hand_out(visit, issue, *application);
}

}  // namespace

Answer oauth_error(int status, const std::string& error, const std::string& description) {
  return oauth_answer(status, {{"error", error}, {"error_description", description}});
}

bool has_duplicates(std::string_view form) {
  std::set<std::string> seen;
  while (!form.empty()) {
    const std::size_t end = std::min(form.find('&'), form.size());
    const std::string_view pair = form.substr(0, end);
    form.remove_prefix(std::min(end + 1, form.size()));
    if (pair.empty()) continue;
    if (!seen.insert(unescape(pair.substr(0, pair.find('=')))).second) return true;
  }
  return false;
}

std::optional<std::map<std::string, std::string>> read_form(const Request& request) {
  if (request.method != "POST" || !has_type(request, "application/x-www-form-urlencoded") ||
      has_duplicates(request.body)) {
    return std::nullopt;
  }
  return parse_form(request.body);
}

Answer register_client(Visit& visit, const std::string& team) {
  const json given = json::parse(visit.request.body, nullptr, false);
  if (visit.request.method != "POST" || !has_type(visit.request, "application/json") ||
      !given.is_object()) {
    return oauth_error(400, "invalid_client_metadata", "the request is not JSON");
  }
  if (const std::string why = judge_client(given); !why.empty()) {
    return oauth_error(400, "invalid_client_metadata", why);
  }
  OauthClient client;
  client.team = team;
  client.name = given.value("client_name", "");
  client.redirect_uris = given["redirect_uris"].get<std::vector<std::string>>();
  client.grant_types = given.value("grant_types", json::array({"authorization_code"}))
                           .get<std::vector<std::string>>();
  if (given.contains("resource")) {
    const json& resource = given["resource"];
    const auto found =
        resource.is_string() ? find_resource(visit.edge.config, team, resource) : nullptr;
    if (!found) return oauth_error(400, "invalid_target", "the resource is unknown");
    client.application = found->name;
  }
  for (const std::string& uri : client.redirect_uris) {
    if (!may_register_at(visit.edge.config, team, client, uri)) {
      return oauth_error(400, "invalid_client_metadata",
                         "redirect_uri is not allowed by the account configuration");
    }
  }
  ++visit.edge.stats.registrations;
  const std::string id = visit.edge.grants.add_client(client);
  return oauth_answer(201, describe_client(visit, client, id));
}

Answer give_tokens(Visit& visit) {
  if (const auto fault = visit.fault("oauth_token.slow")) visit.delay += fault->seconds;
  if (visit.fault("oauth_token.500")) return oauth_error(500, "server_error", "try again");
  auto form = read_form(visit.request);
  if (!form) return oauth_error(400, "invalid_request", "the request is no form");
  const OauthClient* client = client_of(visit, *form);
  if (client == nullptr) return unknown_client();
  const std::string& type = (*form)["grant_type"];
  if (type == "authorization_code") return exchange_code(visit, *form, *client);
  if (type == "refresh_token") return refresh_grant(visit, *form, *client);
  return oauth_error(400, "unsupported_grant_type", "neither a code nor a refresh token");
}

// A token that is unknown, or another client's, is answered like one that was revoked (RFC 7009
// section 2.2), and stays as it is.
Answer revoke_token(Visit& visit) {
  auto form = read_form(visit.request);
  if (!form || (*form)["token"].empty()) {
    return oauth_error(400, "invalid_request", "the token is missing");
  }
  const OauthClient* client = client_of(visit, *form);
  if (client == nullptr) return unknown_client();
  if (visit.edge.grants.revoke(client->id, (*form)["token"])) ++visit.edge.stats.revocations;
  return answer(respond(200, "text/plain", ""));
}

}  // namespace edge
