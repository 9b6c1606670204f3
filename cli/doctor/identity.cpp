#include "cli/doctor/identity.hpp"

#include <fmt/core.h>

#include "access/answer/refusal.hpp"
#include "access/core/clock.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"
#include "access/identity/credentials.hpp"
#include "access/identity/exchange.hpp"
#include "access/identity/oauth_store.hpp"
#include "access/identity/person.hpp"
#include "access/identity/service_token_team.hpp"
#include "access/identity/token_store.hpp"
#include "access/tls/client_certificate.hpp"
#include "cli/doctor/diagnosis.hpp"
#include "cli/session/session.hpp"
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

CertificateRequest request_of(const Diagnosis& diagnosis) {
  return diagnosis.tls ? diagnosis.tls->request : CertificateRequest{};
}

MachineAnswer show(Diagnosis& diagnosis, Machine machine, Headers headers) {
  Url url = diagnosis.url;
  url.query = machine == Machine::service_token ? "cloudflared_token_check=true" : "";
  const Response response = diagnosis.send({.url = url, .headers = std::move(headers), .body = {}});
  const Application& application = *diagnosis.application;
  return judge_machine_answer({url, application.auth_domain, application.hostname, machine},
                              response, now());
}

void open_by_token(Diagnosis& diagnosis, const Secret& token, Shown shown) {
  diagnosis.credential = Headers{{"Cf-Access-Token", std::string(token.reveal())}};
  diagnosis.shown = shown;
}

struct Stored {
  std::optional<StoredToken> application, team;
  StoredTokens claims() const {
    StoredTokens all;
    if (application) all.application = application->claims;
    if (team) all.team = team->claims;
    return all;
  }
};

Stored stored_tokens(const Diagnosis& diagnosis) {
  if (!diagnosis.state) return {};
  return {peek_app_token(*diagnosis.state, *diagnosis.application),
          peek_org_token(*diagnosis.state, diagnosis.application->auth_domain)};
}

bool is_good(const Diagnosis& diagnosis, const std::optional<StoredToken>& token) {
  if (!token || token->claims.expires <= now()) return false;
  return token->claims.is_for(diagnosis.application->audience);
}

std::optional<OauthGrant> stored_grant(const Diagnosis& diagnosis) {
  if (!diagnosis.state) return std::nullopt;
  return load_oauth_grant(*diagnosis.state, diagnosis.url, *diagnosis.application);
}

// Renews nothing: a refresh token works once, and doctor changes nothing.
CheckResult check_oauth_grant(Diagnosis& diagnosis, const OauthGrant& grant) {
  const bool renews = !grant.tokens.refresh.empty();
  if (grant.tokens.expires <= now()) {
    if (!renews)
      return failed(
          {ErrorKind::login_needed, "the token of Managed OAuth has expired",
           "run: mayfly access login --oauth " + pasted_word(printable(diagnosis.url.origin()))});
    return warning("by Managed OAuth; the token has expired", "the next command renews it");
  }
  diagnosis.credential =
      credential_headers({.oauth = OauthToken{grant.tokens.access, grant.tokens.expires, renews}});
  diagnosis.shown = Shown::stored_token;
  return well(fmt::format("by Managed OAuth, ends in {}{}",
                          duration_text(grant.tokens.expires - now()),
                          renews ? ", and renews itself" : ""));
}

}  // namespace

CheckResult judge_application(const Url& url, const std::optional<Application>& application,
                              const Response& answer) {
  if (!application) return failed(no_application(url, answer));
  return well(fmt::format("\"{}\" of {}, audience {}..., signed by its team",
                          printable(application->hostname), application->auth_domain,
                          printable(application->audience.substr(0, audience_shown))));
}

CheckResult judge_client_certificate(const CertificateShown& shown, sys_seconds now) {
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

CheckResult judge_no_client_certificate(const CertificateRequest& request) {
  if (!request.asked) return not_needed("none was asked for");
  return not_needed(request.text());
}

CheckResult judge_service_token(const std::string& id, const std::optional<TokenClaims>& earned,
                                sys_seconds now) {
  const std::string detail = printable(id, 80) + " is accepted";
  return well(earned ? fmt::format("{}, and earns a token that {}", detail, ends(*earned, now))
                     : detail + ", and has to be shown each time");
}

CheckResult judge_stored_token(const StoredTokens& tokens, sys_seconds now) {
  return well(fmt::format("{}, {}; {}", whose(*tokens.application), ends(*tokens.application, now),
                          team_text(tokens.team, now)));
}

CheckResult judge_earned_token(const TokenClaims& earned, sys_seconds now) {
  return well(fmt::format("none is stored, but the team's token earns one: {}, {}", whose(earned),
                          ends(earned, now)));
}

CheckResult judge_missing_token(const Url& url, const StoredTokens& tokens, sys_seconds now) {
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
                 fmt::format("run: mayfly access login {}",
                             pasted_word(printable(url.origin() + url.path)))});
}

void add_person(CheckResult& result, Diagnosis& diagnosis, const Url& at, const Secret& token) try {
  const Send send = [&](const Request& request) { return diagnosis.send(request); };
  const auto person = ask_person(send, {at, token, [&] {
                                          if (!diagnosis.may_send_tokens())
                                            throw logged_out(diagnosis.url);
                                        }});
  if (person) result.detail += fmt::format("; Access knows you as {}", person->text());
} catch (const Error& error) {
  log(LogLevel::debug, "the identity is not known", {{"reason", error.message()}});
}

std::optional<StoredToken> exchanged_token(Diagnosis& diagnosis) {
  const Stored stored = stored_tokens(diagnosis);
  if (!stored.team || stored.team->claims.expires <= now()) return std::nullopt;
  const Send send = [&](const Request& request) { return diagnosis.send(request); };
  const std::function<void()> stop = [&] {
    if (!diagnosis.may_send_tokens()) throw logged_out(diagnosis.url);
  };
  const auto jwt = exchange_org_token(
      send, {diagnosis.url, *diagnosis.application, stored.team->jwt, now(), stop});
  if (!jwt) return std::nullopt;
  return check_app_token(*diagnosis.application, *jwt, now());
}

CheckResult check_application(Diagnosis& diagnosis) {
  if (!diagnosis.has_trusted_connection()) return skipped("there is no trusted connection");
  const Send send = [&](const Request& request) { return diagnosis.send(request); };
  Found found = ask_application(send, diagnosis.url, now());
  diagnosis.first_answer = std::move(found.answer);
  diagnosis.application = std::move(found.application);
  diagnosis.is_unprotected = !diagnosis.application;
  return judge_application(diagnosis.url, diagnosis.application, diagnosis.first_answer);
}

CheckResult check_client_certificate(Diagnosis& diagnosis) {
  if (diagnosis.certificate_error) return failed(*diagnosis.certificate_error);
  const CertificateRequest request = request_of(diagnosis);
  const auto& certificate = diagnosis.tunnel.connection.client_certificate;
  if (!certificate) {
    if (diagnosis.application && wants_certificate(diagnosis.first_answer))
      return failed(certificate_wanted(diagnosis.application->hostname, diagnosis.first_answer));
    return judge_no_client_certificate(request);
  }
  CertificateShown shown{.facts = certificate->facts(), .request = request};
  if (diagnosis.application && request.asked) {
    const MachineAnswer answer = show(diagnosis, Machine::client_certificate, {});
    diagnosis.machine_is_let_in = !answer.wants_person;
    shown.use =
        answer.wants_person ? CertificateUse::accepted_before_login : CertificateUse::accepted;
  }
  return judge_client_certificate(shown, now());
}

CheckResult check_service_token(Diagnosis& diagnosis) {
  if (diagnosis.service_token_error) return failed(*diagnosis.service_token_error);
  if (!diagnosis.service_token) return not_needed("none is given");
  if (!diagnosis.application) return skipped("there is no application to show it to");
  if (diagnosis.state)
    check_team_of(*diagnosis.service_token, *diagnosis.application, *diagnosis.state);
  const MachineAnswer answer =
      show(diagnosis, Machine::service_token, service_token_headers(*diagnosis.service_token));
  diagnosis.machine_is_let_in = true;
  return judge_service_token(diagnosis.service_token->id,
                             answer.token ? read_token(answer.token->reveal()) : std::nullopt,
                             now());
}

CheckResult check_token(Diagnosis& diagnosis) {
  if (diagnosis.is_unprotected) {
    diagnosis.credential.emplace();
    if (!turns_metadata_question_away(diagnosis.first_answer))
      return not_needed("nobody asks for one");
  }
  if (!diagnosis.application) return skipped("there is no application that it could be for");
  if (diagnosis.service_token && diagnosis.machine_is_let_in) {
    diagnosis.credential.emplace();
    return not_needed("the service token goes with each request");
  }
  if (diagnosis.service_token) return skipped("the service token is not accepted");
  const Stored stored = stored_tokens(diagnosis);
  if (is_good(diagnosis, stored.application)) {
    open_by_token(diagnosis, stored.application->jwt, Shown::stored_token);
    return judge_stored_token(stored.claims(), now());
  }
  if (const auto grant = stored_grant(diagnosis)) return check_oauth_grant(diagnosis, *grant);
  if (diagnosis.machine_is_let_in) {
    diagnosis.credential.emplace();
    return not_needed("none is stored, and a machine's identity needs none");
  }
  if (diagnosis.state_is_broken) return skipped("the state directory cannot be used");
  if (const auto earned = exchanged_token(diagnosis)) {
    open_by_token(diagnosis, earned->jwt, Shown::fresh_token);
    return judge_earned_token(earned->claims, now());
  }
  CheckResult result = judge_missing_token(diagnosis.url, stored.claims(), now());
  if (stored.team && stored.team->claims.expires > now()) {
    Url team;
    team.host = diagnosis.application->auth_domain;
    add_person(result, diagnosis, team, stored.team->jwt);
  }
  return result;
}

}  // namespace mayfly::cli::doctor
