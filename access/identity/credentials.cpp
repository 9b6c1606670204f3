#include "access/identity/credentials.hpp"

#include <fmt/core.h>

#include "access/answer/login.hpp"
#include "access/answer/machine.hpp"
#include "access/answer/refusal.hpp"
#include "access/core/access_path.hpp"
#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"
#include "access/identity/exchange.hpp"
#include "access/identity/service_token_team.hpp"

namespace mayfly {
namespace {

using std::chrono::sys_seconds;
using namespace std::chrono_literals;

// Logs the source of the token, its identity and its expiry.
Grant granted(const Application& application, StoredToken token, std::string_view source) {
  if (is_logged(LogLevel::debug)) {
    log(LogLevel::debug, fmt::format("token from {}", source),
        {{"identity", token.claims.identity()}, {"until", rfc3339(token.claims.expires)}});
  }
  return {.application = application, .token = std::move(token)};
}

// A refused token is still there if no file can be removed.
bool is_same(const StoredToken& token, const std::optional<StoredToken>& refused) {
  return refused && token.jwt == refused->jwt;
}

// The query may come from somebody else, and credentials go with the request.
Url without_query(Url url) {
  url.query.clear();
  return url;
}

}  // namespace

Request token_check(const Url& url, Headers headers, std::string_view purpose) {
  refuse_path_of_access(url);
  Url probe = url;
  probe.query = "cloudflared_token_check=true";
  return {.url = std::move(probe), .headers = std::move(headers), .body = {}, .purpose = purpose};
}

Headers credential_headers(const Grant& grant) {
  if (grant.token) return {{"Cf-Access-Token", std::string(grant.token->jwt.reveal())}};
  if (grant.oauth) {
    std::string value("Bearer ");
    return {{"Authorization", value.append(grant.oauth->access.reveal())}};
  }
  return {};
}

Credentials::Credentials(const StateDirectory& state, Send send, LoginPrompt prompt,
                         CredentialOptions options)
    : state_(state),
      send_(std::move(send)),
      prompt_(std::move(prompt)),
      options_(std::move(options)),
      finder_(state_, send_),
      logouts_(state_),
      turn_(login_parts()),
      browser_(login_parts()),
      oauth_(login_parts(), is_machine()) {}

LoginParts Credentials::login_parts() const {
  return {state_, send_, prompt_, options_, logouts_};
}

std::optional<StoredToken> Credentials::stored_token(const Application& application) const {
  auto token = load_app_token(state_, application, options_.now());
  if (token && options_.service_token && !is_earned_by(token->claims, *options_.service_token))
    return std::nullopt;
  return token;
}

std::optional<Grant> Credentials::stored_for(const std::optional<Application>& application) const {
  if (!application) return std::nullopt;
  auto token = stored_token(*application);
  if (!token) return std::nullopt;
  return granted(*application, *std::move(token), "the state directory");
}

std::optional<Grant> Credentials::stored_for(const Url& url,
                                             const std::optional<Application>& application) const {
  if (!oauth_.is_preferred())
    if (auto grant = stored_for(application)) return grant;
  return application ? by_oauth(*application, oauth_.known(without_query(url), *application))
                     : std::nullopt;
}

Grant Credentials::for_service_token(std::optional<Application> application) const {
  if (application) require_team_of(*options_.service_token, *application, state_);
  return {.application = std::move(application), .has_service_token = true};
}

std::optional<Grant> Credentials::known(const Url& url) const {
  if (options_.service_token) {
    auto application = finder_.known(url, options_.now());
    if (!application) return std::nullopt;
    return for_service_token(std::move(application));
  }
  return stored_for(url, finder_.known(url, options_.now()));
}

std::optional<Grant> Credentials::stored(const Url& url) const {
  if (auto grant = known(url)) return grant;
  if (options_.service_token) {
    auto found = finder_.find(without_query(url), options_.now());
    if (!found.application) return std::nullopt;
    return for_service_token(std::move(found.application));
  }
  const auto recalled = finder_.recall(url);
  if (!recalled || (!peek_app_token(state_, *recalled) &&
                    !load_oauth_grant(state_, without_query(url), *recalled)))
    return std::nullopt;
  const auto application = finder_.find(without_query(url), options_.now()).application;
  if (auto grant = stored_for(url, application)) return grant;
  if (!application) return std::nullopt;
  return by_oauth(*application, oauth_.renewed(without_query(url), *application));
}

Grant Credentials::obtain(const Url& url) const {
  if (!options_.service_token) return obtain(url, {});
  auto [first, application] = finder_.find(without_query(url), options_.now());
  if (!application) return {.answered = std::move(first)};
  return for_service_token(std::move(application));
}

Grant Credentials::earn_token(const Url& url) const {
  Grant grant = obtain(url);
  if (!options_.service_token || !grant.application) return grant;
  const auto held = machine_lock(*grant.application);
  return earn(url, *grant.application);
}

Grant Credentials::obtain_token(const Url& url) const {
  Grant grant = obtain(url);
  if (!options_.service_token || !grant.application) return grant;
  if (auto stored = stored_for(grant.application)) return std::move(*stored);
  const auto held = machine_lock(*grant.application);
  if (auto stored = stored_for(grant.application)) return std::move(*stored);
  return earn(url, *grant.application);
}

Grant Credentials::renew(const Url& url, const Grant& refused) const {
  return options_.service_token ? earn_token(url) : obtain(url, refused);
}

bool Credentials::is_machine() const noexcept {
  using Certificate = CredentialOptions::ClientCertificate;
  return options_.service_token || options_.client_certificate == Certificate::present;
}

bool Credentials::may_send(const Url& url, const std::optional<Application>& application,
                           std::string_view jwt) const {
  if (options_.service_token || !logouts_.has_seen_logout(url, application)) return true;
  const auto stored = known(url);
  if (!stored) return false;
  return (stored->token && stored->token->jwt.reveal() == jwt) ||
         (stored->oauth && stored->oauth->access.reveal() == jwt);
}

void Credentials::require_may_send(const Url& url, const Grant& grant) const {
  const Secret* secret = grant.token   ? &grant.token->jwt
                         : grant.oauth ? &grant.oauth->access
                                       : nullptr;
  if (secret != nullptr && !may_send(url, grant.application, secret->reveal()))
    throw logged_out(url);
}

void Credentials::store(const Url& url, const Application& application,
                        const std::function<void()>& action) const {
  if (is_machine()) return action();
  logouts_.store(url, application, action);
}

Grant Credentials::obtain(const Url& url, const Grant& refused) const {
  using Remembering = ApplicationFinder::Remembering;
  const bool forgets = !is_machine() && logouts_.has_logged_out(url, std::nullopt);
  const ApplicationFinder finder(state_, send_,
                                 forgets ? Remembering::never : Remembering::allowed);
  const Url asked = without_query(url);
  auto [first, application] = finder.find(asked, options_.now());
  if (!application) return {.answered = std::move(first)};
  if (refused.token && refused.application->audience == application->audience) forget(refused);
  const bool uses_oauth = oauth_.is_preferred() || refused.oauth;
  if (auto token = stored_token(*application);
      !uses_oauth && token && !is_same(*token, refused.token))
    return granted(*application, *std::move(token), "the state directory");
  if (!uses_oauth)
    if (auto grant = by_oauth(*application, oauth_.usable(asked, *application)))
      return *std::move(grant);
  if (auto grant = by_machine(asked, *application, refused)) return std::move(*grant);
  if (wants_certificate(first)) throw certificate_wanted(application->hostname, first);
  if (!is_guarded(asked, first.status, first.headers) && is_open(asked))
    return {.application = application, .guard = Grant::Guard::nobody};
  if (uses_oauth)
    return {.application = application, .oauth = oauth_.obtain(asked, *application, refused.oauth)};
  return by_person(url, *application, first);
}

// Returns whether a policy bypasses the login. The answer to the question for the metadata may be
// special, so an ordinary request decides.
bool Credentials::is_open(const Url& url) const {
  const Response response = send_({.method = Request::Method::head,
                                   .url = url,
                                   .headers = {},
                                   .body = {},
                                   .purpose = "a login page"});
  return !is_guarded(url, response.status, response.headers);
}

// Returns whether the command may go on although a file cannot be written.
bool Credentials::does_without(const Error& error) const {
  return options_.storage == CredentialOptions::Storage::optional &&
         error.kind() == ErrorKind::failed;
}

std::optional<LoginLock> Credentials::machine_lock(const Application& application) const try {
  return turn_.wait(app_token_file(application), LoginTurn::Waiting::machine,
                    [&] { return stored_token(application).has_value(); });
} catch (const Error& error) {
  if (!does_without(error)) throw;
  return std::nullopt;
}

StoredToken Credentials::keep(const Application& application, const Secret& jwt) const try {
  return save_app_token(state_, application, jwt, options_.now());
} catch (const Error& error) {
  if (!does_without(error)) throw;
  log(LogLevel::warn, "the token is not stored", {{"reason", error.message()}});
  return check_app_token(application, jwt, options_.now());
}

void Credentials::forget(const Grant& refused) const try {
  remove_app_token(state_, *refused.application, refused.token->jwt);
} catch (const Error& error) {
  if (!does_without(error)) throw;
}

// Sends the service token to an application that is verified.
// obtain() has found the application, and has checked that the service token may go there.
Grant Credentials::earn(const Url& url, const Application& application) const {
  const Request request =
      token_check(url, service_token_headers(*options_.service_token), "a token");
  const auto answer = judge_machine_answer(
      {request.url, application.auth_domain, application.hostname, Machine::service_token},
      send_(request), options_.now());
  if (answer.token) {
    Grant grant = granted(application, keep(application, *answer.token), "the service token");
    grant.has_service_token = true;
    return grant;
  }
  if (const auto outdated = stored_for(application)) forget(*outdated);
  return for_service_token(application);
}

std::optional<Grant> Credentials::by_machine(const Url& url, const Application& application,
                                             const Grant& refused) const {
  if (!is_machine()) return std::nullopt;
  const auto held = machine_lock(application);
  if (auto token = stored_token(application); token && !is_same(*token, refused.token))
    return granted(application, *std::move(token), "another process");

  const Response response = send_({.url = url, .headers = {}, .body = {}, .purpose = "a token"});
  auto answer = judge_machine_answer(
      {url, application.auth_domain, application.hostname, Machine::client_certificate}, response,
      options_.now());
  if (answer.wants_person) return std::nullopt;
  if (!answer.token) return Grant{.application = application};
  return granted(application, keep(application, *answer.token), "the client certificate");
}

std::optional<OauthToken> Credentials::oauth_token(const Url& url,
                                                   const Application& application) const {
  return oauth_.renewed(without_query(url), application);
}

std::optional<Grant> Credentials::by_oauth(const Application& application,
                                           std::optional<OauthToken> token) {
  if (!token) return std::nullopt;
  return Grant{.application = application, .oauth = std::move(token)};
}

std::optional<Grant> Credentials::obtain_by_oauth(const Url& url, const Grant& refused) const {
  const Url asked = without_query(url);
  if (refused.oauth || !oauth_.is_offered(asked, *refused.application)) return std::nullopt;
  auto token = oauth_.obtain(asked, *refused.application, std::nullopt);
  // Otherwise the other commands would send it before the new one.
  forget(refused);
  return by_oauth(*refused.application, std::move(token));
}

Grant Credentials::by_person(const Url& url, const Application& application,
                             const Response& first) const {
  const auto stop = [&] { logouts_.stop_after_logout(url, application); };
  stop();
  const auto load_org = [&] {
    return load_org_token(state_, application.auth_domain, options_.now());
  };
  const std::string objection = objection_to_login(options_);
  const bool is_browser_allowed = objection.empty();
  if (!is_browser_allowed && !load_org())
    throw login_needed(url, "no valid token is stored, and " + objection);
  using Waiting = LoginTurn::Waiting;
  const Waiting waiting = is_browser_allowed ? Waiting::person : Waiting::machine;

  // In the order of cloudflared: the lock of the app token, then that of the org token if none is
  // stored.
  auto held = turn_.wait(app_token_file(application), waiting, [&] {
    stop();
    return stored_token(application).has_value();
  });
  if (auto token = stored_token(application))
    return granted(application, *std::move(token), "another process");
  auto org_token = load_org();
  std::optional<LoginLock> held_org;
  if (!org_token && is_browser_allowed) {
    held_org = turn_.wait(org_token_file(application.auth_domain), waiting, [&] {
      stop();
      return load_org().has_value();
    });
    org_token = load_org();
  }
  if (auto grant = by_exchange(url, application, org_token)) return std::move(*grant);
  if (!is_browser_allowed)
    throw login_needed(url, "the team's stored token is not accepted, and " + objection);
  const Url asked = without_query(url);
  if (oauth_.is_offered_alone(asked, application, first)) {
    // This login stores neither token: others who wait for one need not wait for it.
    held.reset();
    held_org.reset();
    return {.application = application, .oauth = oauth_.obtain(asked, application, std::nullopt)};
  }
  std::vector<LoginLock> locks;
  for (auto* one : {&held, &held_org})
    if (*one) locks.push_back(std::move(**one));
  StoredToken token = browser_.log_in(url, application, std::move(locks));
  prompt_.logged_in(token.claims);
  return granted(application, std::move(token), "the browser");
}

std::optional<Grant> Credentials::by_exchange(const Url& url, const Application& application,
                                              const std::optional<StoredToken>& org_token) const {
  if (!org_token) return std::nullopt;
  const sys_seconds now = options_.now();
  const std::function<void()> stop = [&] { logouts_.stop_after_logout(url, application); };
  const auto token =
      exchange_org_token(send_, {without_query(url), application, org_token->jwt, now, stop});
  if (!token) return std::nullopt;
  std::optional<StoredToken> stored;
  logouts_.store_login(url, application,
                       [&] { stored = save_app_token(state_, application, *token, now); });
  return granted(application, *std::move(stored), "the team's token");
}

EdgeVerdict Credentials::accepted_at_edge(const Url& url, const Grant& grant) const {
  Request request = token_check(url, credential_headers(grant), "its opinion of the token");
  request.timeout = 5s;
  request.before_sending = [&] { require_may_send(url, grant); };
  try {
    const Response response = send_(request);
    const auto team = [&] {
      return grant.token ? team_of(grant.token->claims.issuer) : grant.application->auth_domain;
    };
    return {.accepted = !wants_login(request.url, response.status, response.headers, team),
            .reference = response.reference(),
            .has_challenge = has_login_challenge(request.url, response.status, response.headers)};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::network && error.kind() != ErrorKind::protocol) throw;
    return {.accepted = true};
  }
}

}  // namespace mayfly
