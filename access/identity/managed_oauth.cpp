#include "access/identity/managed_oauth.hpp"

#include "access/answer/marks.hpp"
#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/identity/oauth.hpp"

namespace mayfly {

bool ManagedOauth::is_allowed() const noexcept {
  return !is_machine_ && parts_.options.oauth != CredentialOptions::Oauth::never;
}

bool ManagedOauth::is_preferred() const noexcept {
  return parts_.options.oauth == CredentialOptions::Oauth::preferred;
}

OauthContext ManagedOauth::context(const Url& url, const Application& application) const {
  using Store = std::function<void(const std::function<void()>&)>;
  const Store renewed = [&](const auto& action) { parts_.logouts.store(url, application, action); };
  const Store logged_in = [&](const auto& action) {
    parts_.logouts.store_login(url, application, action);
  };
  const bool may_log_in = parts_.options.login == CredentialOptions::Login::allowed;
  using Waiting = LoginTurn::Waiting;
  return {.state = parts_.state,
          .send = parts_.send,
          .url = url,
          .application = application,
          .now = parts_.options.now,
          .stop = [&] { parts_.logouts.stop_after_logout(url, application); },
          .store_renewed = renewed,
          .store_logged_in = logged_in,
          .lock =
              [this, may_log_in](const std::string& file, const auto& satisfied) {
                return turn_.wait(file, may_log_in ? Waiting::person : Waiting::machine, satisfied);
              }};
}

std::optional<OauthToken> ManagedOauth::known(const Url& url,
                                              const Application& application) const {
  if (!is_allowed()) return std::nullopt;
  return known_oauth_token(context(url, application));
}

std::optional<OauthToken> ManagedOauth::renewed(const Url& url,
                                                const Application& application) const {
  if (!is_allowed()) return std::nullopt;
  return renewed_oauth_token(context(url, application), std::nullopt);
}

std::optional<OauthToken> ManagedOauth::usable(const Url& url, const Application& application) const
    try {
  return renewed(url, application);
} catch (const Error& error) {
  if (error.kind() != ErrorKind::refused) throw;
  log(LogLevel::warn, "the stored token of Managed OAuth is of no use",
      {{"reason", error.message()}});
  return std::nullopt;
}

OauthToken ManagedOauth::obtain(const Url& url, const Application& application,
                                const std::optional<OauthToken>& refused) const {
  parts_.logouts.stop_after_logout(url, application);
  const OauthContext asking = context(url, application);
  std::optional<Secret> secret;
  if (refused) secret = refused->access;
  if (auto token = renewed_oauth_token(asking, secret)) return *std::move(token);
  const std::string objection = objection_to_login(parts_.options);
  if (!objection.empty())
    throw login_needed(url, "no valid token of Managed OAuth is stored, and " + objection);
  const OauthPrompt prompt{.show = parts_.prompt.show_local,
                           .waiting = parts_.prompt.waiting,
                           .waited = parts_.prompt.waited,
                           .patience = parts_.options.transfer.patience};
  return obtain_oauth_token(asking, secret, prompt);
}

bool ManagedOauth::is_offered(const Url& url, const Application& application) const try {
  return is_allowed() && ask_resource(parts_.send, url, application).has_value();
} catch (const Error& error) {
  log(LogLevel::debug, "Managed OAuth is not offered", {{"reason", error.message()}});
  return false;
}

bool ManagedOauth::is_offered_alone(const Url& url, const Application& application,
                                    const Response& first) const {
  if (parts_.options.oauth == CredentialOptions::Oauth::never ||
      !has_login_challenge(url, first.status, first.headers))
    return false;
  const auto resource = ask_resource(parts_.send, url, application);
  return resource && !resource->has_other_login;
}

}  // namespace mayfly
