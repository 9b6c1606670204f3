#include "cli/doctor/identity_findings.hpp"

#include <fmt/core.h>

#include "access/answer/refusal.hpp"
#include "access/core/text.hpp"
#include "cli/terminal/time_text.hpp"

namespace mayfly::cli::doctor {
namespace {

using std::chrono::sys_seconds;

constexpr auto certificate_ends_soon = std::chrono::hours(24 * 7);
constexpr std::size_t audience_shown = 12;

std::string whose(const TokenClaims& claims) {
  return claims.identity().empty() ? "somebody without a name" : printable(claims.identity());
}

std::string ends(const TokenClaims& claims, sys_seconds now) {
  return fmt::format("ends in {} ({})", duration_text(claims.expires - now),
                     clock_text(claims.expires, now));
}

std::string team_text(const std::optional<TokenClaims>& team, sys_seconds now) {
  if (!team) return "no token of the team";
  if (team->expires <= now)
    return fmt::format("the team's ended {} ago", duration_text(now - team->expires));
  return fmt::format("the team's {}", ends(*team, now));
}

}  // namespace

Finding judge_application(const Url& url, const std::optional<Application>& application,
                          const Response& answer) {
  if (!application) return failed(no_application(url, answer));
  return well(fmt::format("\"{}\" of {}, audience {}..., signed by its team",
                          printable(application->hostname), application->auth_domain,
                          printable(application->audience.substr(0, audience_shown))));
}

Finding judge_client_certificate(const CertificateShown& shown, sys_seconds now) {
  const CertificateFacts& facts = shown.facts;
  const std::string text = certificate_text(facts);
  if (shown.use == CertificateUse::not_shown && !shown.request.asked)
    return warning(text + "; the edge did not ask for it",
                   "an administrator has to associate its CA with this hostname, under Access, "
                   "Service Auth, Mutual TLS");
  if (facts.not_after - now <= certificate_ends_soon)
    return warning(fmt::format("{}; it ends in {}", text, duration_text(facts.not_after - now)),
                   fmt::format("have a new one issued by \"{}\"", facts.issuer));
  switch (shown.use) {
    case CertificateUse::not_shown:
      return well(text + "; the edge asks for one");
    case CertificateUse::accepted:
      return well(text + "; accepted");
    case CertificateUse::accepted_before_login:
      return well(text + "; accepted, and a login is wanted besides");
  }
  return {};
}

Finding judge_no_client_certificate(const CertificateRequest& request) {
  if (!request.asked) return not_needed("none was asked for");
  return not_needed(request.text());
}

Finding judge_service_token(const std::string& id, const std::optional<TokenClaims>& earned,
                            sys_seconds now) {
  const std::string detail = printable(id, 80) + " is accepted";
  return well(earned ? fmt::format("{}, and earns a token that {}", detail, ends(*earned, now))
                     : detail + ", and has to be shown each time");
}

Finding judge_stored_token(const StoredTokens& tokens, sys_seconds now) {
  return well(fmt::format("{}, {}; {}", whose(*tokens.application), ends(*tokens.application, now),
                          team_text(tokens.team, now)));
}

Finding judge_earned_token(const TokenClaims& earned, sys_seconds now) {
  return well(fmt::format("none is stored, but the team's token earns one: {}, {}", whose(earned),
                          ends(earned, now)));
}

Finding judge_missing_token(const Url& url, const StoredTokens& tokens, sys_seconds now) {
  std::string detail = "none is stored for this application";
  if (tokens.application && tokens.application->expires <= now)
    detail = fmt::format("the stored one, of {}, ended {} ago", whose(*tokens.application),
                         duration_text(now - tokens.application->expires));
  else if (tokens.application)
    detail = fmt::format("the stored one, of {}, is another's", whose(*tokens.application));
  if (tokens.team && tokens.team->expires > now)
    detail += "; the team's token is not accepted in its place";
  else
    detail += "; " + team_text(tokens.team, now);
  return failed({ErrorKind::login_needed, detail,
                 fmt::format("run: mayfly access login {}", printable(url.origin() + url.path))});
}

}  // namespace mayfly::cli::doctor
