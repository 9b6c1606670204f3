#include "access/identity/machine_identity.hpp"

#include <fmt/core.h>

#include "access/core/text.hpp"

namespace mayfly {
namespace {

using std::chrono::sys_seconds;

bool is_denied(int status) {
  return status == 401 || status == 403;
}

Error service_token_refused(const Application& application, const Response& response) {
  const std::string name = printable(application.hostname);
  const std::string_view how = is_denied(response.status) ? "" : "sent to the login page, ";
  return Error(ErrorKind::refused,
               fmt::format("access to {} refused: the service token was not accepted ({}{})", name,
                           how, response.reference()),
               fmt::format("check its id, secret and expiry; the application \"{}\" needs a policy "
                           "with the action Service Auth that includes it",
                           name));
}

Error certificate_refused(const Application& application, const Response& response) {
  return Error(ErrorKind::refused,
               fmt::format("access to {} refused: the client certificate was not accepted ({}); {}",
                           printable(application.hostname), response.reference(),
                           response.certificate_request.text()),
               "the application needs a policy with the action Service Auth that includes the "
               "certificate, and its CA must be associated with the hostname");
}

// Access writes the id of a service token with ".access" after it; people leave that off.
std::string_view without_access(std::string_view id) {
  if (id.ends_with(".access")) id.remove_suffix(std::string_view(".access").size());
  return id;
}

// The token an accepted machine is given; nothing when there is none or it is being taken away.
std::optional<Secret> earned_token(const Url& url, const Response& response, sys_seconds now) {
  const auto cookie = response.cookie("CF_Authorization", url, now);
  if (!cookie || cookie->value.empty()) return std::nullopt;
  if (cookie->expires && *cookie->expires <= now) return std::nullopt;
  return Secret(std::string_view(cookie->value));
}

}  // namespace

std::vector<Header> service_token_headers(const ServiceToken& token) {
  return {{"Cf-Access-Client-Id", token.id},
          {"Cf-Access-Client-Secret", std::string(token.secret.reveal())}};
}

bool is_earned_by(const TokenClaims& claims, const ServiceToken& token) {
  return !claims.common_name.empty() &&
         without_access(claims.common_name) == without_access(token.id);
}

MachineAnswer judge_machine_answer(const MachineRequest& request, const Response& response,
                                   sys_seconds now) {
  const Application& application = request.application;
  const bool is_service_token = request.machine == Machine::service_token;
  const bool is_login =
      is_login_redirect(request.url, response, issuer_of(application.auth_domain));
  if (is_login && is_service_token) throw service_token_refused(application, response);
  if (is_login) return {.wants_person = true, .token = std::nullopt};
  // The cookie decides first: a 403 that comes with it is the origin's.
  if (auto token = earned_token(request.url, response, now)) return {.token = std::move(token)};
  if (is_denied(response.status) && is_service_token)
    throw service_token_refused(application, response);
  if (is_denied(response.status)) throw certificate_refused(application, response);
  return {};
}

bool is_guarded(const Url& request, const Response& response) {
  if (is_denied(response.status)) return true;
  if (response.status < 300 || response.status > 399) return false;
  try {
    const Url target = resolve_location(request, response.header("Location"));
    return target.host != request.host || target.path.starts_with("/cdn-cgi/access/");
  } catch (const Error&) {
    return true;
  }
}

bool wants_certificate(const Response& response) {
  return is_denied(response.status) && response.certificate_request.asked &&
         response.certificate_request.sent.empty();
}

Error certificate_wanted(const Application& application, const Response& response) {
  return Error(ErrorKind::refused,
               fmt::format("access to {} refused ({}): {}", printable(application.hostname),
                           response.reference(), response.certificate_request.text()),
               "name one with --cert FILE [--key FILE]");
}

bool is_login_redirect(const Url& request, const Response& response, std::string_view issuer) {
  if (response.status != 302) return false;
  try {
    const Url target = resolve_location(request, response.header("Location"));
    const bool is_of_access = target.origin() == issuer || target.origin() == request.origin();
    return is_of_access && target.path.starts_with("/cdn-cgi/access/login");
  } catch (const Error&) {
    return false;
  }
}

}  // namespace mayfly
