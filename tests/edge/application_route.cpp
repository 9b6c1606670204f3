// What an application's host name answers.
#include <nlohmann/json.hpp>

#include "admission.hpp"
#include "crypto.hpp"
#include "marks.hpp"
#include "oauth.hpp"
#include "own_answer.hpp"
#include "pages.hpp"
#include "person_route.hpp"

namespace edge {
namespace {

// /cdn-cgi/access/authorized: turns a one-time code into the application's cookie.
Answer authorize(Visit& visit) {
  const auto login = visit.edge.logins.redeem(visit.request.parameter("nonce"));
  const bool session = visit.edge.logins.has_session(visit.request.cookie("CF_AppSession"));
  if (!login || login->application != visit.application->name || !session) {
    return answer(message_page(400, "Invalid login session", "Go back and sign in again."));
  }
  const Application& application = *visit.application;
  const bool foreign = login->exchanged && visit.fault("exchange.wrong_audience");
  const bool expired = login->exchanged && visit.fault("exchange.expired_cookie");
  const bool omitted = login->exchanged && visit.fault("exchange.no_cookie");
  nlohmann::json claims =
      visit.edge.tokens.app_claims(application, {login->email, "", ""}, application.token_lifetime);
  if (foreign) claims["aud"] = {hex(sha256("some other application"))};
  const std::string token =
      visit.edge.tokens.mint({application.team, claims.dump(), "", "", false});
  std::string next = visit.request.parameter("redirect_url");
  if (!next.starts_with('/')) next = "/";
  Response response = redirect("https://" + visit.request.host + next);
  const long lifetime = expired ? -3600 : application.token_lifetime;
  if (!omitted) response.fields.push_back(authorization_cookie(visit.edge, token, lifetime));
  if (application.binding_cookie) {
    const Identity bound{"", "", claims["identity_nonce"].get<std::string>()};
    response.fields.push_back(
        {"Set-Cookie", "CF_Binding=" + binding_value(bound) + "; Path=/; Secure; HttpOnly"});
  }
  if (login->exchanged) ++visit.edge.stats.exchanges;
  return answer(std::move(response));
}

// /cdn-cgi/access/cli: hands tokens to the client whose public key is in the URL.
Answer finish_cli(Visit& visit, const Identity& identity) {
  const Request& request = visit.request;
  if (visit.application->oauth.alone) return answer(access_forbidden(visit));
  if (request.parameter("aud") != visit.application->aud) {
    return answer(message_page(400, "Wrong application", "The aud in the address is not ours."));
  }
  Delivery delivery{request.parameter("token"), identity.email,
                    request.parameter("send_org_token") == "true", "", ""};
  if (!deliver(visit.edge, *visit.application, delivery)) {
    return answer(message_page(400, "Bad address", "The token in the address is no key."));
  }
  const bool closes = request.parameter("close_interstitial") == "true";
  return answer(done_page(closes ? Window::closes : Window::stays));
}

Answer greet(const Visit& visit, const Admission& admission) {
  Response response =
      respond(200, "text/plain; charset=utf-8",
              "hello from " + visit.application->name + ", " + admission.identity.name() + "\n");
  response.fields.insert(response.fields.end(), admission.fields.begin(), admission.fields.end());
  return answer(std::move(response));
}

// An upgrade.* fault that is an ordinary answer; none when it spoils the 101 itself.
std::optional<Answer> refuse_upgrade(Visit& visit, const Fault& fault) {
  const std::string name = fault.name.substr(fault.name.find('.') + 1);
  Answer reply;
  if (name == "close" || name == "reset") {
    reply.action = name == "close" ? Action::drop : Action::reset;
    return reply;
  }
  if (name == "200") return answer(respond(200, "text/html", "<p>It works!</p>\n"));
  if (name == "redirect_elsewhere") {
    return answer(redirect(fault.value.empty() ? "https://elsewhere.example/" : fault.value));
  }
  if (name == "403") return answer(access_forbidden(visit));
  if (auto page = refusal_page(name, visit.request.host, visit.ray)) return answer(*page);
  return std::nullopt;
}

Answer answer_upgrade(Visit& visit, const Admission& admission) {
  ++visit.edge.stats.upgrades;
  const auto fault = visit.fault_in("upgrade");
  if (fault && fault->name == "upgrade.slow") {
    visit.delay += fault->seconds;
  } else if (fault) {
    if (auto refused = refuse_upgrade(visit, *fault)) return *refused;
  }
  const OriginKind origin = visit.application->origin.kind;
  if (origin == OriginKind::page) return greet(visit, admission);
  Answer reply;
  reply.action = origin == OriginKind::http && !fault ? Action::forward : Action::tunnel;
  reply.fields = admission.fields;
  reply.identity = admission.identity;
  if (fault && fault->name != "upgrade.slow") reply.flaw = fault;
  return reply;
}

Answer answer_origin(Visit& visit, const Admission& admission) {
  const bool checking = visit.request.parameter("cloudflared_token_check") == "true";
  if (checking) ++visit.edge.stats.token_checks;
  visit.slow("origin.slow");
  note_origin_request(visit);
  if (const OwnAnswer* own = find_own_answer(visit)) return give_own_answer(*own, admission.fields);
  if (visit.fault("origin.down")) return answer(error_page(502, 502, visit.ray));
  if (visit.request.upgrade) return answer_upgrade(visit, admission);
  if (visit.application->origin.kind != OriginKind::http || checking) {
    return greet(visit, admission);
  }
  Answer reply;
  reply.action = Action::forward;
  reply.fields = admission.fields;
  reply.identity = admission.identity;
  return reply;
}

}  // namespace

Answer route_application(Visit& visit) {
  const std::string& path = visit.request.path;
  const bool guarded = visit.application->policy != Policy::none;
  if (guarded && path == "/cdn-cgi/access/certs") {
    return route_team(visit, visit.application->team);
  }
  if (guarded && path == "/cdn-cgi/access/authorized") return authorize(visit);
  if (guarded && path == "/cdn-cgi/access/logout") return log_out(visit, visit.application->team);
  if (guarded && path.starts_with(oauth_path)) {
    const ManagedOauth& oauth = visit.application->oauth;
    const bool here = oauth.enabled && oauth.issuer == OauthIssuer::host;
    if (here) return route_oauth(visit, visit.application->team);
    return answer(message_page(404, "Not found", "There is nothing here."));
  }
  if (guarded && path == "/cdn-cgi/access/get-identity") return show_identity(visit);
  if (visit.request.upgrade && visit.fault("upgrade.login_redirect")) {
    return answer(login_redirect(visit));
  }
  const Admission admission = admit(visit);
  if (!admission.admitted) return answer(admission.refusal);
  if (guarded && path == "/cdn-cgi/access/cli") return finish_cli(visit, admission.identity);
  return answer_origin(visit, admission);
}

}  // namespace edge
