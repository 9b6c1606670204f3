#include "cli/tokens/sessions.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "access/answer/refusal.hpp"
#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/identity/place.hpp"
#include "access/identity/token_store.hpp"

namespace mayfly::cli {
namespace {

using std::chrono::sys_seconds;
using Sessions = std::vector<AccessSession>;

bool has_team(const Sessions& sessions, std::string_view team) {
  return std::ranges::any_of(sessions, [&](const AccessSession& one) { return one.team == team; });
}

bool is_valid(const TokenFile& token, sys_seconds now) {
  return token.claims && token.claims->expires > now;
}

// A record of another port has the port in its place.
std::optional<Url> url_of(const RememberedApplication& known) {
  if (known.application.hostname.find('/') != std::string::npos) return std::nullopt;
  try {
    const Url url = parse_url(known.place);
    if (url.host == known.host && url.path.empty()) return url;
  } catch (const Error&) {
  }
  return std::nullopt;
}

void add_team(Sessions& sessions, const StateDirectory& state, const std::string& team) {
  auto token = peek_org_token(state, team);
  if (!token || token->claims.issuer != issuer_of(team)) return;
  Url at;
  at.host = team;
  sessions.push_back({.team = team, .at = std::move(at), .token = std::move(token->jwt)});
}

void add_application(Sessions& sessions, const StateDirectory& state, const Inventory& inventory,
                     const TokenFile& token) {
  for (const RememberedApplication& known : inventory.applications) {
    const Application& application = known.application;
    if (!token.claims->is_for(application.audience)) continue;
    if (has_team(sessions, application.auth_domain)) return;
    auto at = url_of(known);
    auto stored = peek_app_token(state, application);
    if (!at || !stored) continue;
    sessions.push_back({.team = application.auth_domain,
                        .application = application,
                        .at = *std::move(at),
                        .token = std::move(stored->jwt)});
    return;
  }
}

}  // namespace

Sessions sessions_of(const StateDirectory& state, const Inventory& inventory,
                     const std::vector<TokenFile>& tokens, sys_seconds now) {
  Sessions sessions;
  for (const TokenFile& token : tokens)
    if (token.kind == TokenFile::Kind::team && is_valid(token, now))
      add_team(sessions, state, token.place);
  for (const TokenFile& token : tokens)
    if (token.kind == TokenFile::Kind::application && is_valid(token, now))
      add_application(sessions, state, inventory, token);
  return sessions;
}

void verify_host(const StateDirectory& state, const Send& send, const AccessSession& session) {
  if (!session.application) return;
  const ApplicationFinder finder(state, send, ApplicationFinder::Remembering::never);
  auto application = finder.known(session.at, now());
  if (!application) application = finder.find(session.at, now()).application;
  if (application && *application == *session.application) return;
  throw Error(
      ErrorKind::protocol,
      fmt::format("{} is another application now: it gets no token",
                  printable(session.at.authority())),
      fmt::format("run: mayfly access logout {}", pasted_word(printable(session.at.origin()))));
}

void require_no_logout(const LogoutWatch& logouts, const AccessSession& session) {
  if (logouts.has_seen_logout(places_of(session.at, session.application)))
    throw logged_out(session.at);
}

}  // namespace mayfly::cli
