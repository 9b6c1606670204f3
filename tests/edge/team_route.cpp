// What a team domain answers: keys, login, exchange and certificates.
#include <nlohmann/json.hpp>

#include "admission.hpp"
#include "crypto.hpp"
#include "oauth.hpp"
#include "pages.hpp"
#include "person_route.hpp"

namespace edge {
namespace {

using nlohmann::json;

// The JWKS with every key replaced by another one under the same kid.
json impostor_keys(const json& jwks, unsigned bits) {
  json result = {{"keys", json::array()}};
  for (const json& key : jwks["keys"]) {
    result["keys"].push_back(jwk(key["kid"], generate_rsa(bits).get()));
  }
  return result;
}

Answer spoilt_keys(const Visit& visit, const std::string& fault, const json& jwks) {
  if (fault == "huge") {
    json padded = jwks;
    padded["padding"] = std::string(std::size_t{2} << 20, 'x');
    return answer(respond_json(200, padded.dump()));
  }
  if (fault == "500") return answer(error_page(500, 500, visit.ray));
  if (fault == "html") return answer(respond(200, "text/html", "<!DOCTYPE html><p>Hello</p>"));
  if (fault == "empty") return answer(respond_json(200, ""));
  if (fault == "no_keys") return answer(respond_json(200, R"({"keys":[]})"));
  if (fault == "garbage") return answer(respond_json(200, R"({"keys":[{"kty":"RSA","kid":7,)"));
  if (fault == "weak") return answer(respond_json(200, impostor_keys(jwks, 512).dump()));
  if (fault == "foreign") return answer(respond_json(200, impostor_keys(jwks, 2048).dump()));
  return answer(respond_json(200, jwks.dump()));
}

Answer show_keys(Visit& visit, const std::string& team) {
  ++visit.edge.stats.jwks;
  const json jwks = visit.edge.keys.jwks(team);
  const auto fault = visit.fault_in("jwks");
  if (!fault) return answer(respond_json(200, jwks.dump()));
  if (fault->name == "jwks.slow") visit.delay += fault->seconds;
  if (fault->name == "jwks.redirect") {
    return answer(redirect(fault->value.empty()
                               ? "https://other.cloudflareaccess.com/cdn-cgi/access/certs"
                               : fault->value));
  }
  if (fault->name == "jwks.close") {
    Answer reply;
    reply.action = Action::drop;
    return reply;
  }
  return spoilt_keys(visit, fault->name.substr(5), jwks);
}

std::string authorized_url(Edge& edge, const LoginForm& form, LoginCode login) {
  return "https://" + form.host +
         "/cdn-cgi/access/authorized?nonce=" + edge.logins.issue(std::move(login)) +
         "&redirect_url=" + escape(form.redirect_url);
}

Answer exchange(Visit& visit, const LoginForm& form, const std::string& email) {
  visit.slow("exchange.slow");
  if (visit.fault("exchange.refuse")) return answer(login_page(form));
  if (visit.fault("exchange.500")) return answer(error_page(500, 500, visit.ray));
  if (visit.fault("exchange.loop")) return answer(redirect(visit.request.target));
  std::string url = authorized_url(visit.edge, form, {visit.application->name, email, true});
  if (visit.fault("exchange.http_downgrade")) url.erase(url.find("https") + 4, 1);
  if (const auto foreign = visit.fault("exchange.foreign_redirect")) {
    const std::string host = foreign->value.empty() ? "evil.example" : foreign->value;
    url.replace(8, form.host.size(), host);
  }
  return answer(redirect(url));
}

Answer sign_in(Visit& visit, const LoginForm& form, const std::string& email) {
  if (!may_sign_in(*visit.application, email)) {
    return answer(refused_page("That account does not have access."));
  }
  ++visit.edge.stats.logins;
  const bool consent = form.redirect_url.starts_with(std::string(consent_path) + "?");
  Response response =
      redirect(consent ? "https://" + visit.application->team_domain() + form.redirect_url
                       : authorized_url(visit.edge, form, {visit.application->name, email, false}));
  const long lifetime = visit.edge.config.org_token_lifetime;
  response.fields.push_back(authorization_cookie(
      visit.edge, visit.edge.tokens.mint_org(visit.application->team, email, lifetime), lifetime));
  return answer(std::move(response));
}

// Finds the application a login is for; false when there is none for this team.
bool find_login(Visit& visit, const LoginForm& form) {
  visit.application = visit.edge.config.find_audience(form.aud);
  if (!visit.application || visit.application->team != form.team) return false;
  visit.entry.application = visit.application->name;
  if (form.host == visit.application->team_domain()) return visit.application->oauth.enabled;
  return visit.edge.config.find(form.host, visit.application->path) == visit.application;
}

Answer no_application() {
  return answer(message_page(404, "Not found", "Unable to find your Access application!"));
}

Answer show_login(Visit& visit, const std::string& team, const std::string& host) {
  LoginForm form{team, host, visit.request.parameter("kid"),
                 visit.request.parameter("redirect_url"), ""};
  if (!find_login(visit, form)) return no_application();
  form.email = visit.application->email;
  const auto identity = visit.edge.tokens.check_org(team, visit.request.cookie("CF_Authorization"));
  if (identity && may_sign_in(*visit.application, identity->email)) {
    return exchange(visit, form, identity->email);
  }
  if (visit.edge.config.auto_login) return sign_in(visit, form, form.email);
  return answer(login_page(form));
}

Answer take_login(Visit& visit, const std::string& team) {
  auto fields = parse_form(visit.request.body);
  const LoginForm form{team, lower(fields["host"]), fields["kid"], fields["redirect_url"],
                       fields["email"]};
  if (!find_login(visit, form)) return no_application();
  if (form.email.find('@') == std::string::npos) return answer(login_page(form));
  return sign_in(visit, form, form.email);
}

}  // namespace

Answer route_team(Visit& visit, const std::string& team) {
  const std::string& path = visit.request.path;
  const std::string login = "/cdn-cgi/access/login/";
  if (path == "/cdn-cgi/access/certs") return show_keys(visit, team);
  if (path.starts_with(login)) return show_login(visit, team, lower(path.substr(login.size())));
  if (path.starts_with(oauth_path)) return route_oauth(visit, team);
  if (path == "/cdn-cgi/access/get-identity") return show_identity(visit, team);
  if (path == "/cdn-cgi/access/logout") return log_out(visit, team);
  const bool post = visit.request.method == "POST";
  if (post && path == "/cdn-cgi/access/callback") return take_login(visit, team);
  if (post && path == "/cdn-cgi/access/cert_sign") return answer(sign_certificate(visit, team));
  return answer(message_page(404, "Not found", "There is nothing here."));
}

}  // namespace edge
