#include "access/identity/token_store.hpp"

#include <fmt/core.h>

#include "access/core/edge_clock.hpp"
#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

using std::chrono::sys_seconds;

constexpr std::size_t kMaxFileBytes = std::size_t{128} * 1024;

// Reads the bare JWT. A newline at its end is allowed: editors add it.
std::optional<Secret> read_jwt(const StateDirectory& state, const std::string& name) {
  auto file = state.read(name, kMaxFileBytes);
  if (!file) return std::nullopt;
  std::string_view text = file->content;
  if (text.ends_with('\n')) text.remove_suffix(1);
  Secret jwt(text);
  wipe(file->content);
  return jwt;
}

// Another process may have stored a new token since this one was read.
bool remove_if_still(const StateDirectory& state, const std::string& name, const Secret& jwt) {
  const auto now_there = read_jwt(state, name);
  return now_there && *now_there == jwt && state.remove(name);
}

// Best effort: removes a token that is of no use.
void discard(const StateDirectory& state, const std::string& name, const Secret& jwt) try {
  remove_if_still(state, name, jwt);
} catch (const Error& error) {
  log(LogLevel::debug, "a useless token stays", {{"file", name}, {"reason", error.message()}});
}

std::optional<StoredToken> peek(const StateDirectory& state, const std::string& name) {
  auto jwt = read_jwt(state, name);
  auto claims = jwt ? read_token(jwt->reveal()) : std::nullopt;
  if (!claims) return std::nullopt;
  return StoredToken{std::move(*jwt), std::move(*claims)};
}

Error bad_token(std::string_view which, std::string_view why) {
  return Error(ErrorKind::protocol, fmt::format("the {} token that came: {}", which, why));
}

TokenClaims check_claims(std::string_view which, std::string_view auth_domain, const Secret& jwt) {
  auto claims = read_token(jwt.reveal());
  if (!claims) throw bad_token(which, "not a token signed with RS256");
  if (claims->issuer != issuer_of(auth_domain))
    throw bad_token(which, fmt::format("issued by {}, not {}", printable(claims->issuer),
                                       issuer_of(auth_domain)));
  return std::move(*claims);
}

}  // namespace

std::string app_token_file(const Application& application) {
  return state_name(StateFile::app_token, application.hostname + "-" + application.audience);
}

std::string org_token_file(std::string_view auth_domain) {
  return state_name(StateFile::org_token, auth_domain);
}

StoredToken check_app_token(const Application& application, const Secret& jwt, sys_seconds now) {
  auto claims = check_claims("application", application.auth_domain, jwt);
  if (!claims.is_for(application.audience))
    throw bad_token("application", fmt::format("it is not for the application {}",
                                               printable(application.hostname)));
  if (claims.expires <= now)
    throw Error(ErrorKind::protocol, "the application token that came: it has expired already",
                clock_hint("this computer's clock agrees with the edge's: ask the administrator"));
  return {jwt, std::move(claims)};
}

std::optional<StoredToken> load_app_token(const StateDirectory& state,
                                          const Application& application, sys_seconds now) {
  auto token = peek_app_token(state, application);
  if (!token || (token->claims.expires > now && token->claims.is_for(application.audience)))
    return token;
  discard(state, app_token_file(application), token->jwt);
  return std::nullopt;
}

std::optional<StoredToken> load_org_token(const StateDirectory& state, std::string_view auth_domain,
                                          sys_seconds now) {
  auto token = peek_org_token(state, auth_domain);
  if (!token || (token->claims.expires > now && token->claims.issuer == issuer_of(auth_domain)))
    return token;
  discard(state, org_token_file(auth_domain), token->jwt);
  return std::nullopt;
}

std::optional<StoredToken> peek_app_token(const StateDirectory& state,
                                          const Application& application) {
  auto token = peek(state, app_token_file(application));
  if (token && token->claims.issuer != issuer_of(application.auth_domain)) return std::nullopt;
  return token;
}

std::optional<StoredToken> peek_org_token(const StateDirectory& state,
                                          std::string_view auth_domain) {
  return peek(state, org_token_file(auth_domain));
}

StoredToken save_app_token(const StateDirectory& state, const Application& application,
                           const Secret& jwt, sys_seconds now) {
  return save_tokens(state, application, {.app_token = jwt, .org_token = Secret()}, now);
}

StoredToken save_tokens(const StateDirectory& state, const Application& application,
                        const TokenPair& tokens, sys_seconds now) {
  StoredToken stored = check_app_token(application, tokens.app_token, now);
  std::vector<StateDirectory::NamedContent> files;
  if (!tokens.org_token.empty()) {
    const auto org = check_claims("organization", application.auth_domain, tokens.org_token);
    if (org.expires > now)
      files.push_back(
          {org_token_file(application.auth_domain), std::string(tokens.org_token.reveal())});
  }
  files.push_back({app_token_file(application), std::string(tokens.app_token.reveal())});
  state.write_all(files);
  for (auto& file : files) wipe(file.content);
  return stored;
}

bool remove_app_token(const StateDirectory& state, const Application& application,
                      const Secret& jwt) {
  return remove_if_still(state, app_token_file(application), jwt);
}

}  // namespace mayfly
