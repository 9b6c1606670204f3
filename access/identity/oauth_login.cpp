#include "access/identity/oauth_login.hpp"

#include <fmt/core.h>

#include <utility>

#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"
#include "access/identity/login_options.hpp"
#include "access/identity/loopback_redirect.hpp"

namespace mayfly {
namespace {

using namespace std::chrono_literals;

constexpr auto expires_soon = 30s;

OauthToken token_of(const OauthGrant& grant) {
  return {.access = grant.tokens.access,
          .expires = grant.tokens.expires,
          .renews_itself = !grant.tokens.refresh.empty()};
}

OauthRequests requests_of(const OauthContext& context) {
  return {context.send, context.stop};
}

std::optional<OauthToken> stored_token(const OauthContext& context,
                                       const std::optional<Secret>& refused) {
  const auto grant = load_oauth_grant(context.state, context.url, context.application);
  if (!grant || grant->tokens.access.empty() ||
      grant->tokens.expires <= context.now() + expires_soon)
    return std::nullopt;
  if (refused && grant->tokens.access == *refused) return std::nullopt;
  return token_of(*grant);
}

// The tokens came during a logout: nobody may use them any more.
void revoke(const OauthContext& context, const OauthGrant& grant) {
  if (!grant.revocation || grant.tokens.refresh.empty()) return;
  try {
    revoke_token({context.send}, *grant.revocation, grant.client, grant.tokens.refresh);
  } catch (const Error& error) {
    log(LogLevel::warn, "a token that came after the logout is not revoked",
        {{"reason", error.message()}});
  }
}

OauthToken keep(const OauthContext& context, const OauthGrant& grant,
                const std::function<void(const std::function<void()>&)>& store) {
  try {
    store([&] { save_oauth_grant(context.state, grant); });
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::login_needed) revoke(context, grant);
    throw;
  }
  return token_of(grant);
}

// The caller holds the lock, since a refresh token works once.
std::optional<OauthToken> refresh(const OauthContext& context) {
  auto grant = load_oauth_grant(context.state, context.url, context.application);
  if (!grant || grant->tokens.refresh.empty()) return std::nullopt;
  context.stop();
  auto tokens = refresh_tokens(requests_of(context), grant->token,
                               {.client = grant->client,
                                .redirect_uri = "",
                                .resource = grant->resource,
                                .code = Secret(),
                                .verifier = Secret()},
                               grant->tokens.refresh, context.now());
  if (!tokens) {
    log(LogLevel::debug, "the refresh token is not taken any more");
    remove_oauth_grant(context.state, *grant);
    remove_oauth_client(context.state, context.url, context.application);
    return std::nullopt;
  }
  // A server may leave it as it is (RFC 6749 section 6).
  if (tokens->refresh.empty()) tokens->refresh = grant->tokens.refresh;
  grant->tokens = *std::move(tokens);
  return keep(context, *grant, context.store_renewed);
}

Error not_by_oauth(const OauthContext& context, std::string_view why) {
  return Error(ErrorKind::refused,
               fmt::format("Managed OAuth of {}: {}", context.url.authority(), why),
               "log in without --oauth, or ask the administrator");
}

// RFC 9207 section 2.4, and RFC 6749 section 4.1.2.1.
Secret code_in(const OauthContext& context, const OauthServer& server,
               const RedirectParameters& parameters) {
  const auto value = [&](const char* name) {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::string() : found->second;
  };
  const bool names_issuer = parameters.contains("iss");
  if (names_issuer ? value("iss") != server.issuer : server.names_itself)
    throw Error(ErrorKind::protocol,
                fmt::format("the answer to the login is not from {}", server.issuer),
                "somebody may be trying to mix up two logins: log in again");
  if (value("error") == "access_denied")
    throw not_by_oauth(context, "you did not let mayfly in, or a policy does not let you in");
  if (parameters.contains("error"))
    throw not_by_oauth(context, printable(value("error") + ": " + value("error_description")));
  if (value("code").empty()) throw not_by_oauth(context, "no code came");
  return Secret(value("code"));
}

std::string client_of(const OauthContext& context, const OauthServer& server) {
  const StateDirectory& state = context.state;
  const Application& application = context.application;
  if (auto client = load_oauth_client(state, context.url, application, server.issuer))
    return *std::move(client);
  std::string client = register_client(context.send, server);
  save_oauth_client(state, context.url, application, server.issuer, client);
  return client;
}

OauthToken log_in(const OauthContext& context, const OauthPrompt& prompt, LoginLock* lock) {
  const auto resource = ask_resource(context.send, context.url, context.application);
  if (!resource) throw not_by_oauth(context, "the application does not offer it");
  const OauthServer server =
      ask_server(context.send, context.url, context.application, resource->issuer);
  const std::string client = client_of(context, server);
  LoopbackRedirect redirect;
  const ProofKey proof = make_proof_key();
  const std::string state = random_state(), uri = redirect.uri(redirect_path);
  const std::string page = authorization_url(server, {.client = client,
                                                      .redirect_uri = uri,
                                                      .state = state,
                                                      .challenge = proof.challenge,
                                                      .resource = resource->resource});
  if (lock != nullptr) lock->publish_url(page);
  context.stop();
  prompt.show(page, uri);
  RedirectParameters parameters;
  try {
    const PersonWaitedFor scope(prompt.waited);
    parameters = redirect.wait(redirect_path, state, prompt.patience, [&](auto left) {
      context.stop();
      prompt.waiting(left);
    });
  } catch (const Error&) {
    // The server may have forgotten the client, which it tells the person alone.
    remove_oauth_client(context.state, context.url, context.application);
    throw;
  }
  OauthGrant grant{.origin = context.url.origin(),
                   .application = context.application,
                   .client = client,
                   .resource = resource->resource,
                   .token = server.token,
                   .revocation = server.revocation,
                   .tokens = {}};
  const OauthCode code{.client = client,
                       .redirect_uri = uri,
                       .resource = resource->resource,
                       .code = code_in(context, server, parameters),
                       .verifier = proof.verifier};
  grant.tokens = exchange_code(requests_of(context), server.token, code, context.now());
  return keep(context, grant, context.store_logged_in);
}

}  // namespace

std::optional<OauthToken> known_oauth_token(const OauthContext& context) {
  return stored_token(context, std::nullopt);
}

std::optional<OauthToken> renewed_oauth_token(const OauthContext& context,
                                              const std::optional<Secret>& refused) {
  if (auto token = stored_token(context, refused)) return token;
  if (!load_oauth_grant(context.state, context.url, context.application)) return std::nullopt;
  const auto has_token = [&] {
    context.stop();
    return stored_token(context, refused).has_value();
  };
  const auto held = context.lock(oauth_grant_file(context.url, context.application), has_token);
  if (auto token = stored_token(context, refused)) return token;
  return held ? refresh(context) : std::nullopt;
}

OauthToken obtain_oauth_token(const OauthContext& context, const std::optional<Secret>& refused,
                              const OauthPrompt& prompt) {
  if (auto token = renewed_oauth_token(context, refused)) return *std::move(token);
  const auto has_token = [&] {
    context.stop();
    return stored_token(context, refused).has_value();
  };
  auto held = context.lock(oauth_grant_file(context.url, context.application), has_token);
  if (auto token = stored_token(context, refused)) return *std::move(token);
  return log_in(context, prompt, held ? &*held : nullptr);
}

}  // namespace mayfly
