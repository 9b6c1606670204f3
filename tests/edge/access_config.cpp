// The part of the configuration that is about credentials: teams, service tokens, Managed OAuth,
// and the answers that an origin gives itself.
#include "access_config.hpp"

#include <nlohmann/json.hpp>

#include "members.hpp"

namespace edge {
namespace {

using nlohmann::json;

constexpr Word<ServiceTokenUse> token_uses[] = {{"first", ServiceTokenUse::first},
                                                {"always", ServiceTokenUse::always}};
constexpr Word<RefusalMark> refusal_marks[] = {
    {"challenge", RefusalMark::challenge}, {"aud", RefusalMark::aud}, {"none", RefusalMark::none}};
constexpr Word<OauthIssuer> issuers[] = {{"team", OauthIssuer::team}, {"host", OauthIssuer::host}};

ServiceToken parse_service_token(const json& given, const std::string& where) {
  ServiceToken token;
  Members members(given, where);
  members.read("id", token.id);
  members.read("secret", token.secret);
  members.read("previous_secret", token.previous_secret);
  members.read("previous_secret_expires_at", token.previous_until);
  members.read("enabled", token.enabled);
  const json* expires = members.find("expires_at");
  if (expires != nullptr && !expires->is_null()) token.expires_at = expires->get<long>();
  members.end();
  if (token.id.empty()) members.fail("id", "missing");
  return token;
}

void read_service_tokens(Members& members, const std::string& where,
                         std::vector<ServiceToken>& tokens) {
  const json* given = members.find("service_tokens");
  if (given == nullptr) return;
  if (!given->is_array()) members.fail("service_tokens", "not a list");
  for (const json& one : *given) {
    tokens.push_back(parse_service_token(one, where + ".service_tokens"));
  }
}

json describe(const std::vector<ServiceToken>& tokens) {
  json result = json::array();
  for (const ServiceToken& token : tokens) {
    json one = {{"id", token.id}, {"secret", token.secret}, {"enabled", token.enabled}};
    if (!token.previous_secret.empty()) {
      one["previous_secret"] = token.previous_secret;
      one["previous_secret_expires_at"] = token.previous_until;
    }
    if (token.expires_at) one["expires_at"] = *token.expires_at;
    result.push_back(std::move(one));
  }
  return result;
}

void read_oauth(Members& members, Application& application) {
  const json* given = members.find("managed_oauth");
  if (given == nullptr || given->is_null()) return;
  ManagedOauth& oauth = application.oauth;
  if (given->is_boolean()) {
    oauth.enabled = given->get<bool>();
    return;
  }
  oauth.enabled = true;
  Members options(*given, application.name + ".managed_oauth");
  options.read("enabled", oauth.enabled);
  options.read("access_token_lifetime", oauth.access_token_lifetime);
  options.read("session_duration", oauth.session_duration);
  options.read("code_lifetime", oauth.code_lifetime);
  options.read("allow_any_on_loopback", oauth.loopback);
  options.read("allow_any_on_localhost", oauth.localhost);
  options.read("allowed_uris", oauth.allowed_uris);
  options.read("websocket", oauth.websocket);
  options.read("iss", oauth.iss);
  options.read("alone", oauth.alone);
  read_word(options, "issuer", issuers, oauth.issuer);
  options.end();
}

json describe(const ManagedOauth& oauth) {
  return {{"enabled", oauth.enabled},
          {"access_token_lifetime", oauth.access_token_lifetime},
          {"session_duration", oauth.session_duration},
          {"code_lifetime", oauth.code_lifetime},
          {"allow_any_on_loopback", oauth.loopback},
          {"allow_any_on_localhost", oauth.localhost},
          {"allowed_uris", oauth.allowed_uris},
          {"websocket", oauth.websocket},
          {"issuer", word_for(issuers, oauth.issuer)},
          {"iss", oauth.iss},
          {"alone", oauth.alone}};
}

// Header fields are a list of pairs, so that a name can come more than once.
void read_own_answers(Members& members, Application& application) {
  const json* given = members.find("own_answers");
  if (given == nullptr) return;
  for (const auto& [path, value] : given->items()) {
    if (!path.starts_with('/')) members.fail("own_answers", "not a path: " + path);
    OwnAnswer own;
    std::vector<std::pair<std::string, std::string>> headers;
    Members options(value, application.name + ".own_answers." + path);
    options.read("status", own.status);
    options.read("headers", headers);
    options.read("body", own.body);
    options.end();
    if (own.status < 200 || own.status > 599) options.fail("status", "not between 200 and 599");
    for (auto& [name, text] : headers) own.headers.push_back({name, text});
    application.own_answers[path] = std::move(own);
  }
}

json describe(const std::map<std::string, OwnAnswer>& answers) {
  json result = json::object();
  for (const auto& [path, own] : answers) {
    json headers = json::array();
    for (const Field& field : own.headers) headers.push_back({field.name, field.value});
    result[path] = {{"status", own.status}, {"headers", headers}, {"body", own.body}};
  }
  return result;
}

void read_teams(Members& members, Config& config) {
  const json* given = members.find("teams");
  if (given == nullptr) return;
  for (const auto& [name, value] : given->items()) {
    TeamSettings& team = config.teams[name];
    Members options(value, "teams." + name);
    options.read("strict_service_token_auth", team.strict);
    read_service_tokens(options, "teams." + name, team.service_tokens);
    options.end();
  }
}

void read_people(Members& members, Config& config) {
  const json* given = members.find("people");
  if (given == nullptr) return;
  for (const auto& [email, value] : given->items()) {
    Person& person = config.people[email];
    Members options(value, "people." + email);
    options.read("name", person.name);
    if (const json* groups = options.find("groups")) person.groups = groups->dump();
    if (const json* idp = options.find("idp")) person.idp = idp->dump();
    if (const json* posture = options.find("devicePosture")) {
      person.device_posture = posture->dump();
    }
    options.end();
  }
}

}  // namespace

void read_access(Members& members, Application& application) {
  read_service_tokens(members, application.name, application.service_tokens);
  const json* strict = members.find("strict_service_token_auth");
  if (strict != nullptr && !strict->is_null()) application.strict = strict->get<bool>();
  read_word(members, "service_token_use", token_uses, application.service_token_use);
  read_word(members, "strict_401", refusal_marks, application.strict_401);
  members.read("challenges_programs", application.challenges_programs);
  members.read("read_service_tokens_from_header", application.service_token_header);
  read_oauth(members, application);
  read_own_answers(members, application);
}

void read_access(Members& members, Config& config) {
  read_teams(members, config);
  read_people(members, config);
  members.read("logout_seconds", config.logout_seconds);
}

void describe_access(const Application& application, json& result) {
  result["service_tokens"] = describe(application.service_tokens);
  result["strict_service_token_auth"] = application.strict ? json(*application.strict) : json();
  result["service_token_use"] = word_for(token_uses, application.service_token_use);
  result["strict_401"] = word_for(refusal_marks, application.strict_401);
  result["challenges_programs"] = application.challenges_programs;
  result["read_service_tokens_from_header"] = application.service_token_header;
  result["managed_oauth"] = describe(application.oauth);
  result["own_answers"] = describe(application.own_answers);
}

void describe_access(const Config& config, json& result) {
  json teams = json::object();
  for (const auto& [name, team] : config.teams) {
    teams[name] = {{"strict_service_token_auth", team.strict},
                   {"service_tokens", describe(team.service_tokens)}};
  }
  json people = json::object();
  for (const auto& [email, person] : config.people) {
    people[email] = {{"name", person.name},
                     {"groups", json::parse(person.groups)},
                     {"idp", json::parse(person.idp)},
                     {"devicePosture", json::parse(person.device_posture)}};
  }
  result["teams"] = std::move(teams);
  result["people"] = std::move(people);
  result["logout_seconds"] = config.logout_seconds;
}

bool Config::is_strict(const Application& application) const {
  if (application.strict) return *application.strict;
  const auto found = teams.find(application.team);
  return found != teams.end() && found->second.strict;
}

}  // namespace edge
