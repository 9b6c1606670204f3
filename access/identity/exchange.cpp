#include "access/identity/exchange.hpp"

#include "access/answer/cookies.hpp"
#include "access/answer/login.hpp"
#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/identity/token_store.hpp"

namespace mayfly {
namespace {

using std::chrono::sys_seconds;
using namespace std::chrono_literals;

constexpr std::string_view authorized_path = "/cdn-cgi/access/authorized";

Response ask(const Send& send, const OrgTokenExchange& exchange, const Url& url, Headers headers) {
  return send({.method = Request::Method::head,
               .url = url,
               .headers = std::move(headers),
               .body = {},
               .timeout = 7s,
               .purpose = "the exchange of the team's token",
               .before_sending = exchange.before_sending});
}

std::string cookie_text(std::string_view name, std::string_view value) {
  return std::string(name).append("=").append(value);
}

std::optional<Secret> give_up(std::string_view why) {
  log(LogLevel::debug, "org token not exchanged", {{"reason", why}});
  return std::nullopt;
}

std::optional<Secret> granted_token(const OrgTokenExchange& exchange, const Response& response) {
  const auto cookie = response.cookie(authorization_cookie, exchange.url, exchange.now);
  if (!cookie || !cookie->expires || *cookie->expires <= exchange.now)
    return give_up("no cookie with a future expiry");
  try {
    return check_app_token(exchange.application, Secret(std::string_view(cookie->value)),
                           exchange.now)
        .jwt;
  } catch (const Error& error) {
    return give_up(error.message());
  }
}

}  // namespace

std::optional<Secret> exchange_org_token(const Send& send, const OrgTokenExchange& exchange) {
  const Url& url = exchange.url;
  // An application with Managed OAuth sends the redirect to browsers alone (docs/protocol.md
  // section 6).
  const Response at_application = ask(send, exchange, url, {{"Accept", "text/html"}});
  const auto login = login_page(url, at_application.status, at_application.headers,
                                [&] { return exchange.application.auth_domain; });
  if (!login || login->host != exchange.application.auth_domain)
    return give_up("the application does not redirect to its team's login page");

  const Response at_login =
      ask(send, exchange, *login,
          {{"Cookie", cookie_text(authorization_cookie, exchange.org_token.reveal())}});
  const auto authorized =
      redirect_below(*login, at_login.status, at_login.headers, authorized_path);
  if (!authorized || authorized->host != url.host ||
      (authorized->port != url.port && authorized->port != 443))
    return give_up("the login page does not take it");

  Headers headers;
  if (const auto session = at_application.cookie(session_cookie, *authorized, exchange.now);
      session && (!session->expires || *session->expires > exchange.now))
    headers.add("Cookie", cookie_text(session_cookie, session->value));
  return granted_token(exchange, ask(send, exchange, *authorized, std::move(headers)));
}

}  // namespace mayfly
