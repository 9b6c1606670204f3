#include "access/answer/refusal.hpp"
#include "access/identity/exchange.hpp"
#include "access/identity/token_store.hpp"
#include "access/tls/client_certificate.hpp"
#include "cli/doctor/identity_findings.hpp"
#include "cli/doctor/steps.hpp"
#include "cli/session.hpp"

namespace mayfly::cli::doctor {
namespace {

CertificateRequest request_of(const Case& the_case) {
  return the_case.tls ? the_case.tls->request : CertificateRequest{};
}

MachineAnswer show(Case& the_case, Machine machine, Headers headers) {
  const Response response =
      the_case.send({.url = the_case.url, .headers = std::move(headers), .body = {}});
  return judge_machine_answer(
      {the_case.url, the_case.application->auth_domain, the_case.application->hostname, machine},
      response, now());
}

void open_by_token(Case& the_case, const Secret& token, Shown shown) {
  the_case.opening = Headers{{"Cf-Access-Token", std::string(token.reveal())}};
  the_case.shown = shown;
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

Stored stored_tokens(const Case& the_case) {
  if (!the_case.state) return {};
  return {peek_app_token(*the_case.state, *the_case.application),
          peek_org_token(*the_case.state, the_case.application->auth_domain)};
}

bool is_good(const Case& the_case, const std::optional<StoredToken>& token) {
  if (!token || token->claims.expires <= now()) return false;
  if (!token->claims.is_for(the_case.application->audience)) return false;
  return !the_case.service_token || is_earned_by(token->claims, *the_case.service_token);
}

}  // namespace

// Not stored: the next command does that for itself.
std::optional<StoredToken> token_of_team(Case& the_case) {
  const Stored stored = stored_tokens(the_case);
  if (!stored.team || stored.team->claims.expires <= now()) return std::nullopt;
  const Send send = [&](const Request& request) { return the_case.send(request); };
  const auto jwt =
      exchange_org_token(send, the_case.url, *the_case.application, stored.team->jwt, now());
  if (!jwt) return std::nullopt;
  return check_app_token(*the_case.application, *jwt, now());
}

Finding check_application(Case& the_case) {
  if (!the_case.has_trusted_connection()) return skipped("there is no trusted connection");
  const Send send = [&](const Request& request) { return the_case.send(request); };
  Found found = ask_application(send, the_case.url, now());
  the_case.first_answer = std::move(found.answer);
  the_case.application = std::move(found.application);
  the_case.is_unguarded = !the_case.application;
  return judge_application(the_case.url, the_case.application, the_case.first_answer);
}

Finding check_client_certificate(Case& the_case) {
  if (the_case.certificate_error) return failed(*the_case.certificate_error);
  const CertificateRequest request = request_of(the_case);
  const auto& certificate = the_case.tunnel.connection.client_certificate;
  if (!certificate) {
    if (the_case.application && wants_certificate(the_case.first_answer))
      return failed(certificate_wanted(the_case.application->hostname, the_case.first_answer));
    return judge_no_client_certificate(request);
  }
  CertificateShown shown{.facts = certificate->facts(), .request = request};
  if (the_case.application && request.asked) {
    const MachineAnswer answer = show(the_case, Machine::client_certificate, {});
    the_case.machine_is_let_in = !answer.wants_person;
    shown.use =
        answer.wants_person ? CertificateUse::accepted_before_login : CertificateUse::accepted;
  }
  return judge_client_certificate(shown, now());
}

Finding check_service_token(Case& the_case) {
  if (the_case.service_token_error) return failed(*the_case.service_token_error);
  if (!the_case.service_token) return not_needed("none is given");
  if (!the_case.application) return skipped("there is no application to show it to");
  const MachineAnswer answer =
      show(the_case, Machine::service_token, service_token_headers(*the_case.service_token));
  the_case.machine_is_let_in = true;
  return judge_service_token(the_case.service_token->id,
                             answer.token ? read_token(answer.token->reveal()) : std::nullopt,
                             now());
}

Finding check_token(Case& the_case) {
  if (the_case.is_unguarded) {
    the_case.opening.emplace();
    if (!turns_metadata_question_away(the_case.first_answer))
      return not_needed("nobody asks for one");
  }
  if (!the_case.application) return skipped("there is no application that it could be for");
  const Stored stored = stored_tokens(the_case);
  if (is_good(the_case, stored.application)) {
    open_by_token(the_case, stored.application->jwt, Shown::stored_token);
    return judge_stored_token(stored.claims(), now());
  }
  if (the_case.machine_is_let_in) {
    the_case.opening.emplace();
    return not_needed("none is stored, and a machine's identity needs none");
  }
  if (the_case.service_token) return skipped("the service token is not accepted");
  if (the_case.state_is_broken) return skipped("the state directory cannot be used");
  if (const auto earned = token_of_team(the_case)) {
    open_by_token(the_case, earned->jwt, Shown::fresh_token);
    return judge_earned_token(earned->claims, now());
  }
  return judge_missing_token(the_case.url, stored.claims(), now());
}

}  // namespace mayfly::cli::doctor
