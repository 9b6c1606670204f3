// The session of a person: get-identity shows it, logout ends it.
#include "person_route.hpp"

#include <nlohmann/json.hpp>

#include "crypto.hpp"
#include "pages.hpp"
#include "service_token.hpp"

namespace edge {
namespace {

using nlohmann::json;

json certificate_facts(const Visit& visit) {
  return {{"auth_status", visit.peer.certificate_good ? "SUCCESS" : "NONE"},
          {"cert_presented", !visit.peer.certificate.empty()},
          {"cert_issuer_dn", ""},
          {"cert_issuer_ski", ""},
          {"cert_serial", ""}};
}

bool is_service_token(const Config& config, const std::string& team, const std::string& id) {
  if (id.empty()) return false;
  for (const auto& [name, application] : config.applications) {
    if (application->team == team && lists_service_token(*application, id)) return true;
  }
  return false;
}

json describe_person(const Visit& visit, const std::string& team, const json& claims) {
  const std::string email = claims.value("email", "");
  const std::string name = claims.value("common_name", "");
  const bool machine = is_service_token(visit.edge.config, team, name);
  const auto known = visit.edge.config.people.find(email);
  const Person person = known == visit.edge.config.people.end() ? Person{} : known->second;
  json result = {{"email", email},
                 {"geo", {{"country", claims.value("country", "DE")}}},
                 {"user_uuid", claims.value("sub", "")},
                 {"account_id", hex(sha256("account:" + team)).substr(0, 32)},
                 {"iat", claims.value("iat", 0L)},
                 {"ip", "127.0.0.1"},
                 {"auth_status", visit.peer.certificate_good ? "SUCCESS" : "NONE"},
                 {"common_name", machine ? "" : name},
                 {"service_token_id", machine ? name : ""},
                 {"service_token_status", machine},
                 {"is_warp", false},
                 {"is_gateway", false},
                 {"mtls_auth", certificate_facts(visit)},
                 {"devicePosture", json::parse(person.device_posture)},
                 {"version", 2}};
  if (email.empty()) return result;
  result["id"] = claims.value("sub", "");
  result["name"] = person.name;
  result["groups"] = json::parse(person.groups);
  result["idp"] = json::parse(person.idp);
  return result;
}

Answer no_session() {
  return answer(respond_json(400, R"({"err":"no app token set"})"));
}

}  // namespace

Answer show_identity(const Visit& visit, const std::string& team) {
  const json claims = visit.edge.tokens.open(team, visit.request.cookie("CF_Authorization"));
  if (claims.is_null()) return no_session();
  return answer(respond_json(200, describe_person(visit, team, claims).dump()));
}

Answer show_identity(const Visit& visit) {
  const Application& application = *visit.application;
  for (const std::string& token :
       {visit.request.cookie("CF_Authorization"), visit.request.header("cf-access-token")}) {
    if (token.empty() || !visit.edge.tokens.check_app(application, token)) continue;
    const json claims = visit.edge.tokens.open(application.team, token);
    return answer(respond_json(200, describe_person(visit, application.team, claims).dump()));
  }
  const auto service = read_service_credentials(visit.request, application);
  const long now = visit.edge.tokens.now();
  if (!service.present ||
      judge(visit.edge.config, application, service, now) != ServiceVerdict::good) {
    return no_session();
  }
  const json claims = {{"common_name", service.id}, {"iat", now}};
  return answer(respond_json(200, describe_person(visit, application.team, claims).dump()));
}

Answer log_out(Visit& visit, const std::string& team) {
  const json claims = visit.edge.tokens.open(team, visit.request.cookie("CF_Authorization"));
  const std::string email = claims.is_null() ? std::string() : claims.value("email", "");
  if (!email.empty()) {
    Revocation revocation;
    revocation.team = team;
    revocation.email = email;
    revocation.from = visit.edge.tokens.now() + visit.edge.config.logout_seconds;
    visit.edge.tokens.revoke(revocation);
    for (const auto& [name, application] : visit.edge.config.applications) {
      if (application->team == team) visit.edge.grants.end({name, email}, "logged out");
    }
  }
  Response response = message_page(200, "Logged out", "You have successfully logged out.");
  response.fields.push_back(
      {"Set-Cookie", "CF_Authorization=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/"});
  return answer(std::move(response));
}

}  // namespace edge
