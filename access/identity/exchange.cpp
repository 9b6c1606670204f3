#include "access/identity/exchange.hpp"

#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/identity/token_store.hpp"

namespace mayfly {
namespace {

using std::chrono::sys_seconds;
using namespace std::chrono_literals;

constexpr std::string_view kLoginPath = "/cdn-cgi/access/login";
constexpr std::string_view kAuthorizedPath = "/cdn-cgi/access/authorized";

Response ask(const Send& send, const Url& url, Headers headers) {
  return send({.method = Request::Method::head,
               .url = url,
               .headers = std::move(headers),
               .body = {},
               .timeout = 7s,
               .purpose = "the exchange of the team's token"});
}

// Whether `path` is `root` or below it. Both are normalised (access/core/url.hpp), so that no dot
// segment, encoded or not, leads out of it again.
bool is_at_or_below(const std::string& path, std::string_view root) {
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

struct Place {
  std::string_view host;
  std::uint16_t port;
  std::string_view path;
};

// Where a 302 leads, when it leads over https to that place (or the same on port 443) and no other.
std::optional<Url> redirect_to(const Url& from, const Response& response, const Place& place) {
  if (response.status != 302) return std::nullopt;
  try {
    Url target = resolve_location(from, response.headers.find("Location"));
    const bool is_there = target.host == place.host &&
                          (target.port == place.port || target.port == 443) &&
                          is_at_or_below(target.path, place.path);
    if (!is_there) return std::nullopt;
    return target;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<Secret> give_up(std::string_view why) {
  log(LogLevel::debug, "org token not exchanged", {{"reason", why}});
  return std::nullopt;
}

std::optional<Secret> granted_token(const Url& url, const Application& application,
                                    const Response& response, sys_seconds now) {
  const auto cookie = response.cookie("CF_Authorization", url, now);
  if (!cookie || !cookie->expires || *cookie->expires <= now)
    return give_up("no cookie with a future expiry");
  try {
    return check_app_token(application, Secret(std::string_view(cookie->value)), now).jwt;
  } catch (const Error& error) {
    return give_up(error.message());
  }
}

}  // namespace

std::optional<Secret> exchange_org_token(const Send& send, const Url& url,
                                         const Application& application, const Secret& org_token,
                                         sys_seconds now) {
  const Response at_application = ask(send, url, {});
  const auto login = redirect_to(url, at_application, {application.auth_domain, 443, kLoginPath});
  if (!login) return give_up("the application does not redirect to its team's login page");

  const Response at_login =
      ask(send, *login, {{"Cookie", "CF_Authorization=" + std::string(org_token.reveal())}});
  const auto authorized = redirect_to(*login, at_login, {url.host, url.port, kAuthorizedPath});
  if (!authorized) return give_up("the login page does not take it");

  Headers headers;
  if (const auto session = at_application.cookie("CF_AppSession", *authorized, now);
      session && (!session->expires || *session->expires > now))
    headers.add("Cookie", "CF_AppSession=" + session->value);
  return granted_token(url, application, ask(send, *authorized, std::move(headers)), now);
}

}  // namespace mayfly
