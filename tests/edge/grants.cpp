// The state of Managed OAuth: clients, authorization requests, codes, grants and their tokens.
#include "grants.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto.hpp"

namespace edge {
namespace {

using nlohmann::json;

std::string make_client_id() {
  const std::string digits = hex(random_bytes(16));
  return digits.substr(0, 8) + "-" + digits.substr(8, 4) + "-4" + digits.substr(13, 3) + "-a" +
         digits.substr(17, 3) + "-" + digits.substr(20, 12);
}

std::string make_oauth_token() {
  return "oauth:" + base64url(random_bytes(32));
}

OauthIssue oauth_failure(const std::string& description) {
  return {"invalid_grant", description, "", "", ""};
}

// RFC 7636 section 4.6.
bool proves(const std::string& verifier, const std::string& challenge) {
  return base64url(sha256(verifier)) == challenge;
}

}  // namespace

std::string Grants::add_client(OauthClient client) {
  client.id = make_client_id();
  std::string id = client.id;
  clients_[id] = std::move(client);
  return id;
}

const OauthClient* Grants::find_client(const std::string& id) const {
  const auto found = clients_.find(id);
  return found == clients_.end() ? nullptr : &found->second;
}

std::string Grants::add_request(OauthRequest request) {
  std::string id = base64url(random_bytes(24));
  requests_[id] = std::move(request);
  return id;
}

const OauthRequest* Grants::find_request(const std::string& id) const {
  const auto found = requests_.find(id);
  return found == requests_.end() ? nullptr : &found->second;
}

std::string Grants::issue_code(const std::string& request_id, const std::string& email,
                               long expires) {
  std::string code = base64url(random_bytes(32));
  codes_[code] = {requests_.at(request_id), email, expires, 0};
  requests_.erase(request_id);
  return code;
}

OauthIssue Grants::exchange_code(const CodeExchange& exchange, const OauthLifetimes& lifetimes,
                                 long now) {
  const auto found = codes_.find(exchange.code);
  if (found == codes_.end()) return oauth_failure("the code is unknown");
  Code& code = found->second;
  if (code.grant != 0) {
    if (grants_[code.grant - 1].ended.empty()) grants_[code.grant - 1].ended = "code replayed";
    return oauth_failure("the code was used before");
  }
  if (code.expires <= now) return oauth_failure("the code is too old");
  if (code.request.client != exchange.client) return oauth_failure("the code is another client's");
  if (code.request.redirect_uri != exchange.redirect_uri) {
    return oauth_failure("the redirect_uri differs");
  }
  if (!proves(exchange.verifier, code.request.challenge)) {
    return oauth_failure("the code_verifier does not match");
  }
  Grant grant;
  grant.client = exchange.client;
  grant.subject = {code.request.application, code.email};
  grant.resource = code.request.resource;
  grant.expires = now + lifetimes.session;
  grants_.push_back(std::move(grant));
  code.grant = grants_.size();
  return issue(grants_.size() - 1, lifetimes, now);
}

OauthIssue Grants::refresh(const std::string& client, const std::string& token,
                           const OauthLifetimes& lifetimes, long now) {
  const auto found = refresh_tokens_.find(token);
  if (found == refresh_tokens_.end()) return oauth_failure("the refresh token is unknown");
  Grant& grant = grants_[found->second];
  if (grant.client != client) return oauth_failure("the refresh token is another client's");
  if (!grant.ended.empty()) return oauth_failure("the grant has ended");
  if (grant.used.contains(token)) {
    grant.ended = "refresh token replayed";
    return oauth_failure("the refresh token was used before: the grant has ended");
  }
  if (grant.expires <= now) {
    grant.ended = "expired";
    return oauth_failure("the grant's session is over");
  }
  grant.used.insert(token);
  return issue(found->second, lifetimes, now);
}

OauthIssue Grants::issue(std::size_t index, const OauthLifetimes& lifetimes, long now) {
  Grant& grant = grants_[index];
  OauthIssue issued{"", "", make_oauth_token(), make_oauth_token(), grant.resource};
  access_tokens_[issued.access_token] = {index, now + lifetimes.access_token};
  refresh_tokens_[issued.refresh_token] = index;
  grant.refresh_token = issued.refresh_token;
  return issued;
}

std::optional<Grants::Subject> Grants::subject_of_code(const std::string& code) const {
  const auto found = codes_.find(code);
  if (found == codes_.end()) return std::nullopt;
  return Subject{found->second.request.application, found->second.email};
}

std::optional<Grants::Subject> Grants::subject_of_refresh(const std::string& token) const {
  const auto found = refresh_tokens_.find(token);
  if (found == refresh_tokens_.end()) return std::nullopt;
  return grants_[found->second].subject;
}

std::optional<std::string> Grants::email_of(const std::string& access_token,
                                            const std::string& application, long now) const {
  const auto found = access_tokens_.find(access_token);
  if (found == access_tokens_.end() || found->second.expires <= now) return std::nullopt;
  const Grant& grant = grants_[found->second.grant];
  if (!grant.ended.empty() || grant.subject.application != application) return std::nullopt;
  return grant.subject.email;
}

bool Grants::revoke(const std::string& client, const std::string& token) {
  if (const auto found = refresh_tokens_.find(token); found != refresh_tokens_.end()) {
    Grant& grant = grants_[found->second];
    if (grant.client != client) return false;
    if (grant.ended.empty()) grant.ended = "revoked";
    return true;
  }
  const auto found = access_tokens_.find(token);
  if (found == access_tokens_.end() || grants_[found->second.grant].client != client) return false;
  access_tokens_.erase(found);
  return true;
}

bool Grants::matches(const Grant& grant, const Filter& filter) const {
  return (filter.application.empty() || filter.application == grant.subject.application) &&
         (filter.email.empty() || filter.email == grant.subject.email);
}

std::size_t Grants::end(const Filter& filter, const std::string& reason) {
  std::size_t count = 0;
  for (Grant& grant : grants_) {
    if (!grant.ended.empty() || !matches(grant, filter)) continue;
    grant.ended = reason;
    ++count;
  }
  return count;
}

std::size_t Grants::expire_access_tokens(const Filter& filter) {
  std::size_t count = 0;
  for (auto& [token, access] : access_tokens_) {
    if (!matches(grants_[access.grant], filter)) continue;
    access.expires = 0;
    ++count;
  }
  return count;
}

void Grants::clear() {
  *this = {};
}

json Grants::describe() const {
  json clients = json::array();
  for (const auto& [id, client] : clients_) {
    clients.push_back({{"client_id", id},
                       {"client_name", client.name},
                       {"team", client.team},
                       {"application", client.application},
                       {"redirect_uris", client.redirect_uris}});
  }
  json grants = json::array();
  for (const Grant& grant : grants_) {
    grants.push_back({{"client_id", grant.client},
                      {"application", grant.subject.application},
                      {"email", grant.subject.email},
                      {"refresh_token", grant.refresh_token},
                      {"refreshes", grant.used.size()},
                      {"expires", grant.expires},
                      {"alive", grant.ended.empty()},
                      {"ended", grant.ended}});
  }
  return {{"clients", std::move(clients)},
          {"grants", std::move(grants)},
          {"pending", requests_.size()}};
}

}  // namespace edge
