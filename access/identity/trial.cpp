// Asks the edge once whether it lets a credential in, before anything depends on that.
#include "access/answer/login.hpp"
#include "access/answer/machine.hpp"
#include "access/answer/marks.hpp"
#include "access/answer/refusal.hpp"
#include "access/identity/credentials.hpp"

namespace mayfly {
namespace {

constexpr int first_server_error = 500;
constexpr int tunnel_down = 530;

// Throws if the answer without an application says that nothing works behind the URL.
void judge_public(const Url& url, const Response& answer) {
  if (answer.status >= first_server_error) throw explain_refusal(url, answer);
  if (turns_metadata_question_away(answer)) throw no_application(url, answer);
}

}  // namespace

Grant Credentials::try_out(const Url& url, Person person) const {
  if (person == Person::present) return tried(url);
  // An edge that accepts the credential passes the question on to the origin.
  if (auto grant = known(url)) return *std::move(grant);
  CredentialOptions options = options_;
  options.objection_to_browser = [] { return "the first connection will ask for a login"; };
  const Credentials without_person(state_, send_, prompt_, std::move(options));
  if (options_.service_token) return without_person.tried(url);
  // The edge was asked which application it is. A token is not shown to it, too: if it were
  // replaced here, the listener would not know, and might replace the new one (SECURITY.md).
  Grant grant = without_person.obtain(url);
  if (!grant.application) judge_public(url, grant.answered);
  return grant;
}

Grant Credentials::tried(const Url& url) const {
  std::optional<Grant> known = this->known(url);
  Grant grant = known ? std::move(*known) : obtain(url);
  if (!grant.application) {
    judge_public(url, grant.answered);
    return grant;
  }
  // A client certificate was shown to the edge by obtain(), just now.
  const bool is_certificate_alone =
      grant.guard == Grant::Guard::access && !has_token(grant) && !grant.has_service_token;
  return is_certificate_alone ? grant : shown_to_edge(url, std::move(grant));
}

Grant Credentials::shown_to_edge(const Url& url, Grant grant) const {
  Headers headers = grant.has_service_token ? service_token_headers(*options_.service_token)
                                            : credential_headers(grant);
  Request request = token_check(url, std::move(headers), "its opinion of the credential");
  request.before_sending = [&] { require_may_send(url, grant); };
  const Response response = send_(request);
  const Application& application = *grant.application;
  const auto team = [&] { return application.auth_domain; };
  if (response.status == tunnel_down) throw explain_refusal(url, response, team);
  if (grant.has_service_token) {
    judge_machine_answer(
        {request.url, application.auth_domain, application.hostname, Machine::service_token},
        response, options_.now());
    return grant;
  }
  if (grant.guard == Grant::Guard::nobody) return grant;
  if (wants_login(request.url, response.status, response.headers, team)) return renew(url, grant);
  if (is_refusal_of_access(request.url, response.status, response.headers))
    throw explain_refusal(url, response, team);
  return grant;
}

}  // namespace mayfly
