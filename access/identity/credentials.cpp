#include "access/identity/credentials.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "access/answer/login.hpp"
#include "access/answer/machine.hpp"
#include "access/answer/refusal.hpp"
#include "access/core/access_path.hpp"
#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"
#include "access/identity/detached_login.hpp"
#include "access/identity/exchange.hpp"
#include "access/identity/place.hpp"
#include "access/identity/service_token_team.hpp"
#include "access/system/session_watch.hpp"

namespace mayfly {
namespace {

using std::chrono::sys_seconds;
using namespace std::chrono_literals;

Error login_needed(const Url& url, std::string_view why) {
  return Error(
      ErrorKind::login_needed, fmt::format("a login to {} is needed: {}", url.host, why),
      fmt::format("run: mayfly access login {}", pasted_word(printable(url.origin() + url.path))));
}

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

class PersonWaitedFor {
 public:
  explicit PersonWaitedFor(const LoginPrompt& prompt) : prompt_(prompt) {}
  ~PersonWaitedFor() { prompt_.waited(); }
  PersonWaitedFor(const PersonWaitedFor&) = delete;
  PersonWaitedFor& operator=(const PersonWaitedFor&) = delete;

 private:
  const LoginPrompt& prompt_;
};

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
      logouts_(state_) {}

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

bool Credentials::prefers_oauth() const noexcept {
  return options_.oauth == CredentialOptions::Oauth::preferred;
}

std::optional<Grant> Credentials::stored_for(const Url& url,
                                             const std::optional<Application>& application) const {
  if (!prefers_oauth())
    if (auto grant = stored_for(application)) return grant;
  return application ? known_by_oauth(url, *application) : std::nullopt;
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
  auto token = oauth_token(url, *application);
  if (!token) return std::nullopt;
  return Grant{.application = application, .oauth = std::move(token)};
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

bool Credentials::has_logged_out(const Url& url,
                                 const std::optional<Application>& application) const {
  const auto places = places_of(url, application);
  if (application) return logouts_.has_logged_out(places);
  // A login at one of these places does not end the logout at another.
  return std::ranges::any_of(
      places, [&](const std::string& place) { return logouts_.has_logged_out({place}); });
}

void Credentials::stop_after_logout(const Url& url, const Application& application) const {
  if (has_logged_out(url, application))
    throw login_needed(url, "you logged out after this command began");
}

bool Credentials::may_send(const Url& url, const std::optional<Application>& application,
                           std::string_view jwt) const {
  if (options_.service_token || !logouts_.has_seen_logout(places_of(url, application))) return true;
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
  store_while_logged_in(url, application, action);
}

void Credentials::store_while_logged_in(const Url& url, const Application& application,
                                        const std::function<void()>& action) const {
  const StateLock lock(state_);
  stop_after_logout(url, application);
  action();
}

void Credentials::store_for_person(const Url& url, const Application& application,
                                   const std::function<void()>& action) const {
  store_while_logged_in(url, application, [&] {
    action();
    // Only here does a logout end: a person's login has stored new tokens.
    logouts_.end_logout(places_of(url, application));
  });
}

Grant Credentials::obtain(const Url& url, const Grant& refused) const {
  using Remembering = ApplicationFinder::Remembering;
  const bool forgets = !is_machine() && has_logged_out(url, std::nullopt);
  const ApplicationFinder finder(state_, send_,
                                 forgets ? Remembering::never : Remembering::allowed);
  const Url asked = without_query(url);
  auto [first, application] = finder.find(asked, options_.now());
  if (!application) return {.answered = std::move(first)};
  if (refused.token && refused.application->audience == application->audience) forget(refused);
  const bool uses_oauth = prefers_oauth() || refused.oauth;
  if (auto token = stored_token(*application);
      !uses_oauth && token && !is_same(*token, refused.token))
    return granted(*application, *std::move(token), "the state directory");
  if (!uses_oauth)
    if (auto token = usable_oauth_token(asked, *application))
      return {.application = application, .oauth = std::move(token)};
  if (auto grant = by_machine(asked, *application, refused)) return std::move(*grant);
  if (wants_certificate(first)) throw certificate_wanted(application->hostname, first);
  if (!is_guarded(asked, first.status, first.headers) && is_open(asked))
    return {.application = application, .guard = Grant::Guard::nobody};
  if (uses_oauth) return by_oauth(asked, *application, refused);
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

// Returns nullopt if satisfied, or if a machine has waited enough or would have to wait for a
// person.
std::optional<LoginLock> Credentials::lock(const std::string& base, Waiting waiting,
                                           const std::function<bool()>& satisfied) const {
  if (waiting == Waiting::person) {
    const PersonWaitedFor scope(prompt_);
    return wait_for_login_lock(state_, base,
                               {.satisfied = satisfied,
                                .notice = prompt_.other_login,
                                .waiting = prompt_.waiting,
                                .timeout = options_.transfer.patience});
  }
  const TimeLimit limit(options_.machine_patience);
  bool is_person_at_it = false;
  return wait_for_login_lock(
      state_, base,
      {.satisfied = [&] { return is_person_at_it || limit.is_over() || satisfied(); },
       .notice = [&](long, std::string_view shown) { is_person_at_it = !shown.empty(); }});
}

// Returns whether the command may go on although a file cannot be written.
bool Credentials::does_without(const Error& error) const {
  return options_.storage == CredentialOptions::Storage::optional &&
         error.kind() == ErrorKind::failed;
}

std::optional<LoginLock> Credentials::machine_lock(const Application& application) const try {
  return lock(app_token_file(application), Waiting::machine,
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

OauthContext Credentials::oauth_context(const Url& url, const Application& application) const {
  using Store = std::function<void(const std::function<void()>&)>;
  const Store renewed = [&](const auto& action) {
    store_while_logged_in(url, application, action);
  };
  const Store logged_in = [&](const auto& action) { store_for_person(url, application, action); };
  const bool may_log_in = options_.login == CredentialOptions::Login::allowed;
  return {.state = state_,
          .send = send_,
          .url = url,
          .application = application,
          .now = options_.now,
          .stop = [&] { stop_after_logout(url, application); },
          .store_renewed = renewed,
          .store_logged_in = logged_in,
          .lock =
              [this, may_log_in](const std::string& file, const auto& satisfied) {
                return lock(file, may_log_in ? Waiting::person : Waiting::machine, satisfied);
              }};
}

std::optional<Grant> Credentials::known_by_oauth(const Url& url,
                                                 const Application& application) const {
  if (is_machine() || options_.oauth == CredentialOptions::Oauth::never) return std::nullopt;
  const Url asked = without_query(url);
  auto token = known_oauth_token(oauth_context(asked, application));
  if (!token) return std::nullopt;
  return Grant{.application = application, .oauth = std::move(token)};
}

std::optional<OauthToken> Credentials::oauth_token(const Url& url,
                                                   const Application& application) const {
  if (is_machine() || options_.oauth == CredentialOptions::Oauth::never) return std::nullopt;
  const Url asked = without_query(url);
  return renewed_oauth_token(oauth_context(asked, application), std::nullopt);
}

// Returns why no login in a browser may begin, or "".
std::string Credentials::objection_to_login() const {
  return options_.login == CredentialOptions::Login::allowed ? options_.objection_to_browser()
                                                             : "logging in is not allowed here";
}

// A grant that is refused for good does not keep the person from another way in.
std::optional<OauthToken> Credentials::usable_oauth_token(const Url& url,
                                                          const Application& application) const {
  try {
    return oauth_token(url, application);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::refused) throw;
    log(LogLevel::warn, "the stored token of Managed OAuth is of no use",
        {{"reason", error.message()}});
    return std::nullopt;
  }
}

Grant Credentials::by_oauth(const Url& url, const Application& application,
                            const Grant& refused) const {
  stop_after_logout(url, application);
  const OauthContext context = oauth_context(url, application);
  std::optional<Secret> secret;
  if (refused.oauth) secret = refused.oauth->access;
  if (auto token = renewed_oauth_token(context, secret))
    return {.application = application, .oauth = std::move(token)};
  const std::string objection = objection_to_login();
  if (!objection.empty())
    throw login_needed(url, "no valid token of Managed OAuth is stored, and " + objection);
  const OauthPrompt prompt{.show = prompt_.show_local,
                           .waiting = prompt_.waiting,
                           .waited = prompt_.waited,
                           .patience = options_.transfer.patience};
  return {.application = application, .oauth = obtain_oauth_token(context, secret, prompt)};
}

std::optional<Grant> Credentials::obtain_by_oauth(const Url& url, const Grant& refused) const {
  if (is_machine() || options_.oauth == CredentialOptions::Oauth::never || refused.oauth)
    return std::nullopt;
  const Url asked = without_query(url);
  try {
    if (!ask_resource(send_, asked, *refused.application)) return std::nullopt;
  } catch (const Error& error) {
    log(LogLevel::debug, "Managed OAuth is not offered", {{"reason", error.message()}});
    return std::nullopt;
  }
  Grant grant = by_oauth(asked, *refused.application, {});
  // Otherwise the other commands would send it before the new one.
  forget(refused);
  return grant;
}

// Asks for the application's document only if the answer has the mark of Managed OAuth.
bool Credentials::offers_oauth_alone(const Url& url, const Application& application,
                                     const Response& first) const {
  if (options_.oauth == CredentialOptions::Oauth::never ||
      !has_login_challenge(url, first.status, first.headers))
    return false;
  const auto resource = ask_resource(send_, without_query(url), application);
  return resource && !resource->has_other_login;
}

Grant Credentials::by_person(const Url& url, const Application& application,
                             const Response& first) const {
  stop_after_logout(url, application);
  const auto load_org = [&] {
    return load_org_token(state_, application.auth_domain, options_.now());
  };
  const std::string objection = objection_to_login();
  const bool is_browser_allowed = objection.empty();
  if (!is_browser_allowed && !load_org())
    throw login_needed(url, "no valid token is stored, and " + objection);
  const Waiting waiting = is_browser_allowed ? Waiting::person : Waiting::machine;

  // In the order of cloudflared: the lock of the app token, then that of the org token if none is
  // stored.
  auto held = lock(app_token_file(application), waiting, [&] {
    stop_after_logout(url, application);
    return stored_token(application).has_value();
  });
  if (auto token = stored_token(application))
    return granted(application, *std::move(token), "another process");
  auto org_token = load_org();
  std::optional<LoginLock> held_org;
  if (!org_token && is_browser_allowed) {
    held_org = lock(org_token_file(application.auth_domain), waiting, [&] {
      stop_after_logout(url, application);
      return load_org().has_value();
    });
    org_token = load_org();
  }
  if (auto grant = by_exchange(url, application, org_token)) return std::move(*grant);
  if (!is_browser_allowed)
    throw login_needed(url, "the team's stored token is not accepted, and " + objection);
  if (offers_oauth_alone(url, application, first)) {
    // This login stores neither token: others who wait for one need not wait for it.
    held.reset();
    held_org.reset();
    return by_oauth(without_query(url), application, {});
  }
  std::vector<LoginLock> locks;
  for (auto* one : {&held, &held_org})
    if (*one) locks.push_back(std::move(**one));
  return by_browser(url, application, std::move(locks));
}

std::optional<Grant> Credentials::by_exchange(const Url& url, const Application& application,
                                              const std::optional<StoredToken>& org_token) const {
  if (!org_token) return std::nullopt;
  const sys_seconds now = options_.now();
  const std::function<void()> stop = [&] { stop_after_logout(url, application); };
  const auto token =
      exchange_org_token(send_, {without_query(url), application, org_token->jwt, now, stop});
  if (!token) return std::nullopt;
  std::optional<StoredToken> stored;
  store_for_person(url, application,
                   [&] { stored = save_app_token(state_, application, *token, now); });
  return granted(application, *std::move(stored), "the team's token");
}

Grant Credentials::by_browser(const Url& url, const Application& application,
                              std::vector<LoginLock> locks) const {
  std::optional<StoredToken> token;
  if (options_.browser == CredentialOptions::Browser::detached) {
    log_in_detached(url, application, locks);
    token = stored_token(application);
    stop_after_logout(url, application);
    if (!token) throw login_needed(url, "the token of the login is gone");
  } else {
    token = log_in_by_browser(
        url, application, locks,
        {.stop = [&] { stop_after_logout(url, application); }, .waiting = prompt_.waiting});
  }
  prompt_.logged_in(token->claims);
  return granted(application, *std::move(token), "the browser");
}

void Credentials::log_in_detached(const Url& url, const Application& application,
                                  std::vector<LoginLock>& locks) const {
  const SessionWatch session;
  const auto stop = [&] {
    stop_after_logout(url, application);
    if (session.has_ended())
      throw login_needed(url, "the session in which the last one began has ended");
  };
  const PersonWaitedFor scope(prompt_);
  options_.close_connections();
  run_detached_login({.take_over =
                          [&] {
                            for (LoginLock& one : locks) one.take_over();
                          },
                      .log_in =
                          [&](const std::function<void()>& leave) {
                            std::vector<LoginLock> held = std::move(locks);
                            const auto stop_or_leave = [&] {
                              stop();
                              leave();
                            };
                            // The command shows the wait.
                            log_in_by_browser(url, application, held,
                                              {.stop = stop_or_leave, .waiting = [](auto) {}});
                          },
                      .waiting = prompt_.waiting,
                      .patience = options_.transfer.patience});
}

StoredToken Credentials::log_in_by_browser(const Url& url, const Application& application,
                                           std::vector<LoginLock>& locks,
                                           const LoginSteps& steps) const {
  const TransferKey key;
  const std::string page = login_url(url, application, key.public_key(), options_.transfer);
  for (LoginLock& one : locks) try {
      one.publish_url(page);
    } catch (const Error& error) {
      log(LogLevel::warn, "login URL not shown to others", {{"reason", error.message()}});
    }
  steps.stop();
  prompt_.show(page);
  const TokenPair tokens = await_tokens(key, steps);
  std::optional<StoredToken> token;
  store_for_person(url, application,
                   [&] { token = save_tokens(state_, application, tokens, options_.now()); });
  return *std::move(token);
}

TokenPair Credentials::await_tokens(const TransferKey& key, const LoginSteps& steps) const {
  const PersonWaitedFor scope(prompt_);
  return fetch_transfer(send_, key, options_.transfer, [&](std::chrono::seconds left) {
    steps.stop();
    steps.waiting(left);
  });
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
