// May this request pass to the application?
#include "admission.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "clock.hpp"
#include "pages.hpp"

namespace edge {
namespace {

using nlohmann::json;

bool certificate_accepted(const Visit& visit) {
  const auto& names = visit.application->common_names;
  return visit.peer.certificate_good &&
         (names.empty() ||
          std::find(names.begin(), names.end(), visit.peer.common_name) != names.end());
}

std::optional<Identity> identity_from_token(const Visit& visit) {
  const Application& application = *visit.application;
  if (application.policy == Policy::certificate && !application.session) return std::nullopt;
  for (const std::string& token :
       {visit.request.header("cf-access-token"), visit.request.cookie("CF_Authorization")}) {
    if (token.empty()) continue;
    auto identity = visit.edge.tokens.check_app(application, token);
    if (!identity) continue;
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

Admission admit_service(Visit& visit, const std::string& id) {
  const Application& application = *visit.application;
  const std::string secret = visit.request.header("cf-access-client-secret");
  const auto& tokens = application.service_tokens;
  const bool known = std::any_of(tokens.begin(), tokens.end(), [&](const ServiceToken& token) {
    return token.id == id && token.secret == secret;
  });
  visit.slow("service.slow");
  const bool refused = visit.fault("service.refuse").has_value();
  Admission admission;
  if (known && !refused) {
    ++visit.edge.stats.service_logins;
    admission.admitted = true;
    admission.identity.common_name = id;
    earn_cookie(visit, admission);
  } else if (application.service_refusal == Refusal::forbidden) {
    admission.refusal = forbidden_page(visit.request.host, visit.ray);
  } else {
    admission.refusal = login_redirect(visit);
  }
  return admission;
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
  const Response forbidden = forbidden_page(visit.request.host, visit.ray);
  const bool always = application.certificate_use == CertificateUse::always;
  if (application.needs_certificate() && always && !certificate) return refuse(forbidden);
  if (auto identity = identity_from_token(visit)) {
    admission.identity = std::move(*identity);
    const bool by_machine = certificate || !visit.request.header("cf-access-client-id").empty();
    if (application.cookie_always && by_machine) earn_cookie(visit, admission);
    return admission;
  }
  const std::string id = visit.request.header("cf-access-client-id");
  if (!id.empty()) return admit_service(visit, id);
  if (application.needs_certificate() && !certificate) return refuse(forbidden);
  if (application.policy == Policy::certificate) return admit_certificate(visit);
  return refuse(application.policy == Policy::service ? forbidden : login_redirect(visit));
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
