// The browser's side of Managed OAuth: the authorization endpoint and the page that asks the
// person.
#include <algorithm>
#include <cctype>

#include "admission.hpp"
#include "oauth.hpp"
#include "pages.hpp"

namespace edge {
namespace {

struct Refused {
  std::string error;
  std::string description;
};

// The person's browser goes back to the client; `answer_part` is "code=..." or "error=...".
Response send_back(Visit& visit, const OauthRequest& request, const std::string& answer_part) {
  std::string state = request.state;
  if (visit.fault("oauth.wrong_state")) state = "somebody-else";
  if (visit.fault("oauth.no_state")) state.clear();
  std::string url = request.redirect_uri;
  url += url.find('?') == std::string::npos ? '?' : '&';
  url += answer_part;
  if (!state.empty()) url += "&state=" + escape(state);
  std::string issuer = request.issuer;
  if (visit.fault("oauth.wrong_iss")) issuer = "https://evil.example";
  if (!issuer.empty()) url += "&iss=" + escape(issuer);
  return redirect(url);
}

Response send_error(Visit& visit, const OauthRequest& request, const Refused& refused) {
  return send_back(
      visit, request,
      "error=" + escape(refused.error) + "&error_description=" + escape(refused.description));
}

// RFC 7636 section 4.2, and Access's own rule: the first character is a letter or a digit.
bool is_challenge(const std::string& text) {
  const auto unreserved = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  };
  return text.size() == 43 && std::isalnum(static_cast<unsigned char>(text[0])) != 0 &&
         std::all_of(text.begin(), text.end(), unreserved);
}

std::optional<Refused> judge_request(const Visit& visit, const ApplicationPointer& application,
                                     const OauthClient& client) {
  const Request& request = visit.request;
  const std::size_t question = std::min(request.target.find('?'), request.target.size());
  if (has_duplicates(
          std::string_view(request.target).substr(std::min(question + 1, request.target.size())))) {
    return Refused{"invalid_request", "a parameter comes twice"};
  }
  if (request.parameter("response_type") != "code") {
    return Refused{"unsupported_response_type", "response_type must be code"};
  }
  if (request.parameter("code_challenge_method") != "S256" ||
      !is_challenge(request.parameter("code_challenge"))) {
    return Refused{"invalid_request", "code_challenge_method must be S256 for public clients"};
  }
  const bool meant =
      client.application.empty() || (application && client.application == application->name);
  if (!application || !meant) return Refused{"invalid_target", "the resource is unknown"};
  return std::nullopt;
}

std::string resource_text(const Application& application, const std::string& resource) {
  const std::size_t begin = std::string("https://").size();
  const std::string host = resource.substr(begin, resource.find('/', begin) - begin);
  return "https://" + host + (application.path == "/" ? "" : application.path) + "/";
}

bool knows_redirect(const OauthClient& client, const std::string& asked) {
  return std::any_of(
      client.redirect_uris.begin(), client.redirect_uris.end(),
      [&](const std::string& registered) { return same_redirect(registered, asked); });
}

std::string consent_address(const std::string& id) {
  return std::string(consent_path) + "?request=" + escape(id);
}

std::optional<std::string> person(const Visit& visit, const std::string& team) {
  const auto identity = visit.edge.tokens.check_org(team, visit.request.cookie("CF_Authorization"));
  if (!identity) return std::nullopt;
  return identity->email;
}

Response approve(Visit& visit, const std::string& id, const std::string& email) {
  const OauthRequest request = *visit.edge.grants.find_request(id);
  const auto application = visit.edge.config.applications.find(request.application);
  if (const auto fault = visit.fault("oauth.error")) {
    return send_error(visit, request,
                      {fault->value.empty() ? "server_error" : fault->value, "a fault is on"});
  }
  const long lifetime = application == visit.edge.config.applications.end()
                            ? 0
                            : application->second->oauth.code_lifetime;
  const std::string code =
      visit.edge.grants.issue_code(id, email, visit.edge.tokens.now() + lifetime);
  return send_back(visit, request, "code=" + code);
}

// Sets visit.application to that of the request; false when there is none any more.
bool find_pending(Visit& visit, const std::string& id) {
  const OauthRequest* request = visit.edge.grants.find_request(id);
  if (request == nullptr) return false;
  const auto found = visit.edge.config.applications.find(request->application);
  if (found == visit.edge.config.applications.end()) return false;
  visit.application = found->second;
  visit.entry.application = found->first;
  return true;
}

// The person who may answer the request, or the page that says why there is none.
std::optional<Answer> refuse_person(Visit& visit, const std::string& id,
                                    const std::optional<std::string>& email) {
  if (!find_pending(visit, id) || !email) {
    return answer(message_page(400, "Invalid login session", "Go back and sign in again."));
  }
  if (!may_sign_in(*visit.application, *email)) {
    return answer(refused_page("That account does not have access."));
  }
  return std::nullopt;
}

}  // namespace

ApplicationPointer find_resource(const Config& config, const std::string& team,
                                 const std::string& resource) {
  constexpr std::string_view scheme = "https://";
  if (!resource.starts_with(scheme) || resource.find_first_of("#?@") != std::string::npos) {
    return nullptr;
  }
  const std::size_t slash = std::min(resource.find('/', scheme.size()), resource.size());
  std::string host = lower(resource.substr(scheme.size(), slash - scheme.size()));
  if (host.ends_with(":443")) host.erase(host.size() - 4);
  const std::string path = slash < resource.size() ? resource.substr(slash) : "/";
  const auto found = config.find(host, path);
  return found && found->team == team && found->oauth.enabled ? found : nullptr;
}

Answer authorize_client(Visit& visit, const std::string& team) {
  const Request& request = visit.request;
  const OauthClient* client = visit.edge.grants.find_client(request.parameter("client_id"));
  const std::string redirect_uri = request.parameter("redirect_uri");
  if (client == nullptr || client->team != team || !knows_redirect(*client, redirect_uri)) {
    return answer(message_page(400, "Invalid request", "The client is not registered like this."));
  }
  const std::string resource = request.parameter("resource");
  const auto application = find_resource(visit.edge.config, team, resource);
  OauthRequest wanted;
  wanted.client = client->id;
  wanted.redirect_uri = redirect_uri;
  wanted.state = request.parameter("state");
  wanted.challenge = request.parameter("code_challenge");
  if (const auto refused = judge_request(visit, application, *client)) {
    return answer(send_error(visit, wanted, *refused));
  }
  visit.application = application;
  visit.entry.application = application->name;
  wanted.application = application->name;
  wanted.resource = resource_text(*application, resource);
  if (application->oauth.iss) {
    const bool host = application->oauth.issuer == OauthIssuer::host;
    wanted.issuer = host ? wanted.resource.substr(0, wanted.resource.find('/', 8))
                         : "https://" + application->team_domain();
  }
  const std::string id = visit.edge.grants.add_request(wanted);
  if (person(visit, team)) return answer(redirect(consent_address(id)));
  if (visit.edge.config.auto_login) return answer(approve(visit, id, application->email));
  return answer(
      login_page({team, request.host, application->aud, consent_address(id), application->email}));
}

Answer ask_consent(Visit& visit, const std::string& team) {
  const std::string id = visit.request.parameter("request");
  const auto email = person(visit, team);
  if (auto refusal = refuse_person(visit, id, email)) return *refusal;
  const OauthRequest& request = *visit.edge.grants.find_request(id);
  const OauthClient* client = visit.edge.grants.find_client(request.client);
  const std::string name = client == nullptr ? "" : client->name;
  return answer(consent_page({name, request.resource, *email, id}));
}

Answer take_consent(Visit& visit, const std::string& team) {
  auto fields = parse_form(visit.request.body);
  const std::string id = fields["request"];
  const auto email = person(visit, team);
  if (auto refusal = refuse_person(visit, id, email)) return *refusal;
  if (fields["decision"] == "approve") return answer(approve(visit, id, *email));
  const OauthRequest request = *visit.edge.grants.find_request(id);
  visit.edge.grants.drop_request(id);
  return answer(send_error(visit, request, {"access_denied", "The person did not agree."}));
}

Answer route_oauth(Visit& visit, const std::string& team) {
  const std::string name = visit.request.path.substr(std::string(oauth_path).size());
  const bool post = visit.request.method == "POST";
  if (name == "authorization" && !visit.request.host.ends_with(team_suffix)) {
    const std::size_t question =
        std::min(visit.request.target.find('?'), visit.request.target.size());
    return answer(redirect("https://" + team + std::string(team_suffix) + oauth_path + name +
                           visit.request.target.substr(question)));
  }
  if (name == "authorization") return authorize_client(visit, team);
  if (name == "consent") return post ? take_consent(visit, team) : ask_consent(visit, team);
  if (name == "registration") return register_client(visit, team);
  if (name == "token") return give_tokens(visit);
  if (name == "revoke") return revoke_token(visit);
  return answer(message_page(404, "Not found", "There is nothing here."));
}

}  // namespace edge
