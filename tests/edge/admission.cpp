// May this request pass to the application?
#include "admission.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "clock.hpp"
#include "marks.hpp"
#include "service_token.hpp"

namespace edge {
namespace {

using nlohmann::json;

bool certificate_accepted(const Visit& visit) {
  const auto& names = visit.application->common_names;
  return visit.peer.certificate_good &&
         (names.empty() ||
          std::find(names.begin(), names.end(), visit.peer.common_name) != names.end());
}

// Whether each request needs its service token: what a service token has earned is not enough.
bool wants_service_token(const Visit& visit) {
  const Application& application = *visit.application;
  return application.service_token_use == ServiceTokenUse::always ||
         visit.edge.config.is_strict(application);
}

std::optional<Identity> identity_from_token(const Visit& visit) {
  const Application& application = *visit.application;
  if (application.policy == Policy::certificate && !application.session) return std::nullopt;
  const bool wanted = wants_service_token(visit);
  if (wanted && application.policy == Policy::service) return std::nullopt;
  for (const std::string& token :
       {visit.request.header("cf-access-token"), visit.request.cookie("CF_Authorization")}) {
    if (token.empty()) continue;
    auto identity = visit.edge.tokens.check_app(application, token);
    if (!identity) continue;
    if (wanted && lists_service_token(application, identity->common_name)) continue;
    const bool bound = visit.request.cookie("CF_Binding") == binding_value(*identity);
    if (!application.binding_cookie || bound) return identity;
  }
  return std::nullopt;
}

// Adds the cookie that a service token or certificate earns, unless the policy is No Duration.
void earn_cookie(const Visit& visit, Admission& admission) {
  const Application& application = *visit.application;
  if (!application.session) return;
  const std::string token =
      visit.edge.tokens.mint_app(application, admission.identity, *application.session);
  admission.fields.push_back(authorization_cookie(visit.edge, token, *application.session));
}

Admission refuse(Response response) {
  Admission admission;
  admission.refusal = std::move(response);
  return admission;
}

// What faults and the configuration say about the service token of this request.
ServiceVerdict judge_service(Visit& visit, const ServiceCredentials& credentials) {
  visit.slow("service.slow");
  if (visit.fault("service.refuse")) return ServiceVerdict::unauthenticated;
  return judge(visit.edge.config, *visit.application, credentials, visit.edge.tokens.now());
}

Admission admit_machine(Visit& visit, const std::string& id) {
  ++visit.edge.stats.service_logins;
  Admission admission;
  admission.admitted = true;
  admission.identity.common_name = id;
  return admission;
}

Admission admit_service(Visit& visit, const ServiceCredentials& credentials) {
  if (judge_service(visit, credentials) == ServiceVerdict::good) {
    Admission admission = admit_machine(visit, credentials.id);
    earn_cookie(visit, admission);
    return admission;
  }
  const bool forbidden = visit.application->service_refusal == Refusal::forbidden;
  return refuse(forbidden ? access_forbidden(visit) : login_wanted(visit));
}

// In a strict organisation the service token alone decides, and earns nothing.
Admission admit_strictly(Visit& visit, const ServiceCredentials& credentials) {
  if (credentials.malformed) return refuse(service_unauthorized(visit));
  const ServiceVerdict verdict = judge_service(visit, credentials);
  if (verdict == ServiceVerdict::unauthenticated) return refuse(service_unauthorized(visit));
  if (verdict == ServiceVerdict::unauthorized) return refuse(access_forbidden(visit));
  return admit_machine(visit, credentials.id);
}

std::optional<Identity> identity_from_bearer(const Visit& visit) {
  const ManagedOauth& oauth = visit.application->oauth;
  if (!oauth.enabled || (visit.request.upgrade && !oauth.websocket)) return std::nullopt;
  const std::string token = bearer_token(visit.request.header("authorization"));
  const auto email =
      visit.edge.grants.email_of(token, visit.application->name, visit.edge.tokens.now());
  if (!email || !may_sign_in(*visit.application, *email)) return std::nullopt;
  return Identity{*email, "", ""};
}

Admission admit_certificate(Visit& visit) {
  Admission admission;
  ++visit.edge.stats.certificate_logins;
  admission.admitted = true;
  admission.identity.common_name = visit.peer.common_name;
  earn_cookie(visit, admission);
  return admission;
}

}  // namespace

Admission admit(Visit& visit) {
  const Application& application = *visit.application;
  Admission admission;
  admission.admitted = true;
  if (application.policy == Policy::none || application.policy == Policy::bypass) return admission;
  const bool certificate = certificate_accepted(visit);
  const bool always = application.certificate_use == CertificateUse::always;
  if (application.needs_certificate() && always && !certificate) {
    return refuse(access_forbidden(visit));
  }
  const auto service = read_service_credentials(visit.request, application);
  if (service.present && visit.edge.config.is_strict(application)) {
    return admit_strictly(visit, service);
  }
  if (auto identity = identity_from_token(visit)) {
    admission.identity = std::move(*identity);
    const bool by_machine = certificate || !service.id.empty();
    if (application.cookie_always && by_machine) earn_cookie(visit, admission);
    return admission;
  }
  if (!service.id.empty()) return admit_service(visit, service);
  if (auto identity = identity_from_bearer(visit)) {
    admission.identity = std::move(*identity);
    return admission;
  }
  if (application.needs_certificate() && !certificate) return refuse(access_forbidden(visit));
  if (application.policy == Policy::certificate) return admit_certificate(visit);
  return refuse(application.policy == Policy::service ? access_forbidden(visit)
                                                      : login_wanted(visit));
}

// RFC 6750 section 2.1.
std::string bearer_token(const std::string& authorization) {
  constexpr std::string_view scheme = "bearer ";
  if (!lower(authorization).starts_with(scheme)) return "";
  return authorization.substr(scheme.size());
}

Response login_redirect(Visit& visit) {
  const Application& application = *visit.application;
  const json meta = {{"type", "meta"},
                     {"aud", application.aud},
                     {"hostname", visit.request.host},
                     {"redirect_url", visit.request.target},
                     {"service_token_status", false},
                     {"iat", visit.edge.tokens.now()},
                     {"iss", "https://" + application.team_domain()}};
  const auto foreign = visit.fault("exchange.login_foreign");
  const bool downgrade = visit.fault("exchange.login_downgrade").has_value();
  std::string domain = application.team_domain();
  if (foreign) domain = foreign->value.empty() ? "evil.example" : foreign->value;
  Response response =
      redirect((downgrade ? "http://" : "https://") + domain + "/cdn-cgi/access/login/" +
               visit.request.host + "?kid=" + application.aud +
               "&redirect_url=" + escape(visit.request.target) +
               "&meta=" + visit.edge.tokens.mint({application.team, meta.dump(), "", "", false}));
  if (!visit.fault("exchange.no_session")) {
    response.fields.push_back(
        {"Set-Cookie", "CF_AppSession=" + visit.edge.logins.start_session() +
                           "; Expires=" + http_date(visit.edge.tokens.now() + 86400) +
                           "; Path=/; Secure; HttpOnly"});
  }
  response.fields.push_back(login_mark(visit));
  return response;
}

Field authorization_cookie(const Edge& edge, const std::string& token, long seconds) {
  return {"Set-Cookie", "CF_Authorization=" + token +
                            "; Expires=" + http_date(edge.tokens.now() + seconds) +
                            "; Path=/; Secure; HttpOnly; SameSite=None"};
}

std::string binding_value(const Identity& identity) {
  return hex(sha256("binding:" + identity.nonce)).substr(0, 32);
}

}  // namespace edge
