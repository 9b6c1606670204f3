#include "access/answer/machine.hpp"

#include <fmt/core.h>

#include "access/answer/cookies.hpp"
#include "access/answer/login.hpp"
#include "access/answer/marks.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

using std::chrono::sys_seconds;

bool is_denied(int status) {
  return status == 401 || status == 403;
}

Error certificate_refused(const std::string& application, const Response& response) {
  return Error(ErrorKind::refused,
               fmt::format("access to {} refused: the client certificate was not accepted ({}); {}",
                           printable(application), response.reference(),
                           response.certificate_request.text()),
               "the application needs a policy with the action Service Auth that includes the "
               "certificate, and its CA must be associated with the hostname");
}

// Returns the token that comes for an accepted identity, unless the answer takes it away.
std::optional<Secret> earned_token(const Url& url, const Response& response, sys_seconds now) {
  const auto cookie = response.cookie(authorization_cookie, url, now);
  if (!cookie || cookie->value.empty()) return std::nullopt;
  if (cookie->expires && *cookie->expires <= now) return std::nullopt;
  return Secret(std::string_view(cookie->value));
}

}  // namespace

MachineAnswer judge_machine_answer(const MachineRequest& request, const Response& response,
                                   sys_seconds now) {
  const std::string& application = request.application;
  const bool is_service_token = request.machine == Machine::service_token;
  const bool is_login =
      wants_login(request.url, response.status, response.headers, [&] { return request.team; });
  if (is_login && is_service_token) throw service_token_refused(application, response);
  if (is_login) return {.wants_person = true, .token = std::nullopt};
  // With the cookie a 403 is an answer of the origin.
  if (auto token = earned_token(request.url, response, now)) return {.token = std::move(token)};
  if (is_service_token) {
    if (is_refusal_of_access(request.url, response.status, response.headers))
      throw service_token_refused(application, response);
    return {};
  }
  if (is_denied(response.status)) throw certificate_refused(application, response);
  return {};
}

Error service_token_refused(const std::string& application, const Response& response) {
  const std::string name = printable(application);
  const std::string_view how = is_denied(response.status) ? "" : "sent to the login page, ";
  return Error(ErrorKind::refused,
               fmt::format("access to {} refused: the service token was not accepted ({}{})", name,
                           how, response.reference()),
               service_token_cure(response.status));
}

std::string service_token_cure(int status) {
  constexpr std::string_view token =
      "whether it has expired, was disabled, was cleaned up after a long time without use, or was "
      "rotated and has another secret now: the dashboard tells, under Access, Service Auth";
  // A strict organisation answers 401 to a token that it does not know, whatever the policies say.
  if (status == 401) return fmt::format("check its id and secret, and {}", token);
  return fmt::format(
      "the application needs a policy with the action Service Auth that includes it; if there is "
      "one, check {}",
      token);
}

bool wants_certificate(const Response& response) {
  return is_denied(response.status) && response.certificate_request.asked &&
         response.certificate_request.sent.empty();
}

Error certificate_wanted(const std::string& application, const Response& response) {
  return Error(ErrorKind::refused,
               fmt::format("access to {} refused ({}): {}", printable(application),
                           response.reference(), response.certificate_request.text()),
               "name one with --cert FILE [--key FILE]");
}

}  // namespace mayfly
