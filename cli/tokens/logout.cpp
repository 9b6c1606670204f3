// `mayfly logout`: removes what is stored for one application, or for all. Uses no network but with
// --revoke, and to revoke tokens of Managed OAuth.
#include "access/identity/logout.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/core/state_names.hpp"
#include "access/core/text.hpp"
#include "access/identity/oauth_store.hpp"
#include "access/identity/person.hpp"
#include "access/identity/team_keys.hpp"
#include "access/identity/token_store.hpp"
#include "access/system/leftovers.hpp"
#include "access/system/lock.hpp"
#include "cli/flags/command.hpp"
#include "cli/session/http_address.hpp"
#include "cli/session/session.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/message.hpp"
#include "cli/tokens/logout_plan.hpp"
#include "cli/tokens/sessions.hpp"
#include "sshgen/inventory.hpp"
#include "sshgen/on_disk.hpp"

namespace mayfly::cli {
namespace {

struct LogoutFlags {
  std::string url;
  bool all = false, revoke = false;
  TrustFlags trust;
};

void bind(Parser& parser, LogoutFlags& flags) {
  parser.add_option("URL", flags.url, "the application");
  parser.add_flag("--all", flags.all, "everything, with the tokens of teams");
  parser.add_flag("--revoke", flags.revoke, "end your sessions at Access, too");
  bind_trust_flags(parser, flags.trust);
}

// Removes one thing after the other, and goes on after a failure.
class Removal {
 public:
  // The action returns whether there was something to remove.
  void attempt(const std::string& what, const std::function<bool()>& action) {
    try {
      if (!action()) return;
      removed_ = true;
      print_notice(fmt::format("removed {}\n", printable(what, 400)));
    } catch (const Error& error) {
      failed_ = true;
      const auto hint = error.hint().empty() ? "remove it by hand" : error.hint();
      print_error(Error(error.kind(), error.message(), hint));
    }
  }
  bool removed() const noexcept { return removed_; }
  bool failed() const noexcept { return failed_; }

 private:
  bool removed_ = false, failed_ = false;
};

void remove_files(Removal& removal, const StateDirectory& state, const LogoutPlan& plan,
                  const Inventory& inventory) {
  for (const TokenFile& token : plan.tokens) {
    const bool is_team = token.kind == TokenFile::Kind::team;
    removal.attempt(fmt::format("the token of {}{}", is_team ? "the team " : "",
                                hostname_at(token.place, inventory)),
                    [&] { return state.remove(token.name); });
  }
  for (const std::string& place : plan.places) {
    removal.attempt(fmt::format("key and certificate of {}", place),
                    [&] { return sshgen::remove_from_disk(state, sshgen::key_files_at(place)); });
  }
  for (const RememberedApplication& known : plan.applications) {
    removal.attempt(fmt::format("what was remembered of {}", known.place),
                    [&] { return state.remove(known.file); });
  }
  for (const OauthFile& file : plan.oauth_files) {
    const bool is_grant = file.kind == OauthFile::Kind::grant;
    removal.attempt(fmt::format("the {} of Managed OAuth of {}",
                                is_grant ? "tokens" : "registration", file.place),
                    [&] { return state.remove(file.name); });
  }
  for (const std::string& team : plan.key_sets) {
    removal.attempt(fmt::format("the public keys of {}", team),
                    [&] { return state.remove(keys_file(team)); });
  }
  for (const std::string& id : plan.service_tokens) {
    removal.attempt(fmt::format("the team of the service token {}", printable(id)),
                    [&] { return state.remove(state_name(StateFile::service_team, id)); });
  }
}

void remove_locks(Removal& removal, const StateDirectory& state, const LogoutPlan& plan) {
  for (const std::string& base : plan.lock_bases) {
    removal.attempt(fmt::format("what a login left behind: {}.lock", base), [&] {
      const LeftoverLock found = remove_leftover_lock(state, base);
      if (found == LeftoverLock::held)
        print_warning(fmt::format(
            "a login is under way; one of cloudflared's stores a token when it is done: {}",
            printable(base)));
      return found == LeftoverLock::removed;
    });
  }
}

void remove_from_agent(Removal& removal, sshgen::Agent& agent,
                       const sshgen::KeptCertificate& kept) {
  removal.attempt(fmt::format("the certificate of {} from ssh-agent", kept.place), [&] {
    if (!agent.remove(kept.certificate->blob))
      throw Error(ErrorKind::failed,
                  fmt::format("ssh-agent keeps the certificate of {}", printable(kept.place)),
                  "unlock it with ssh-add -X, or end it");
    return true;
  });
}

void remove_certificates(Removal& removal, const LogoutPlan& plan, const LogoutFlags& flags) {
  auto agent = reachable_agent();
  if (!agent) return;
  std::vector<sshgen::KeptCertificate> all;
  removal.attempt("certificates from ssh-agent", [&] {
    all = sshgen::certificates_in_agent(*agent);
    return false;
  });
  for (const auto& kept : all)
    if (flags.all || std::ranges::find(plan.places, kept.place) != plan.places.end())
      remove_from_agent(removal, *agent, kept);
}

// On a full disk removing files makes room. So only the mark that is written then reports a
// failure.
void mark_if_possible(const Logout& logout, const LogoutPlan& plan) {
  try {
    logout.mark(plan.marked);
  } catch (const Error&) {
  }
}

std::vector<OauthGrant> grants_of(const StateDirectory& state, const LogoutPlan& plan) {
  std::vector<OauthGrant> grants;
  for (const OauthFile& file : plan.oauth_files)
    if (file.grant)
      if (auto grant = read_oauth_grant(state, file.name)) grants.push_back(*std::move(grant));
  return grants;
}

// Returns the grants of Managed OAuth that Access is to end, as they were under the lock: a renewal
// just before may have replaced a refresh token.
std::vector<OauthGrant> remove_state(Removal& removal, LogoutPlan& plan,
                                     const StateDirectory& state, const std::optional<Url>& url) {
  Inventory inventory;
  const auto look = [&] {
    inventory = take_inventory(state);
    plan = plan_logout(inventory, sshgen::places_with_keys(state), url);
  };
  look();
  const Logout logout(state);
  mark_if_possible(logout, plan);
  if (logout.not_locked())
    removal.attempt("what running commands store",
                    [&]() -> bool { throw Error(*logout.not_locked()); });
  look();  // finds files that were stored before the lock was taken
  auto grants = grants_of(state, plan);
  remove_files(removal, state, plan, inventory);
  remove_locks(removal, state, plan);
  // The ports are a trace and no secret. They stay after the logout of one application: its cookies
  // are at that address in the browser, and no other application may get there.
  if (!url) removal.attempt("the ports of mayfly http", [&] { return forget_http_ports(state); });
  removal.attempt("the logins of running commands", [&] {
    logout.mark(plan.marked);
    return false;
  });
  clear_leftovers(state);
  return grants;
}

// Reads the tokens, which are gone when Access is asked.
std::vector<AccessSession> sessions_to_end(const StateDirectory& state,
                                           const std::optional<Url>& url) {
  const Inventory inventory = take_inventory(state);
  LogoutPlan plan = plan_logout(inventory, {}, url);
  for (const TokenFile& token : inventory.tokens)
    if (token.kind == TokenFile::Kind::team && std::ranges::count(plan.kept_teams, token.place) > 0)
      plan.tokens.push_back(token);
  return sessions_of(state, inventory, plan.tokens, now());
}

// A refresh token lives for weeks, and the end of the grant is the end of its access tokens, too.
void revoke_all(Removal& removal, const StateDirectory& state,
                const std::vector<OauthGrant>& grants, const TrustFlags& trust) {
  HttpClient http(connection_of(trust));
  const Send send = [&](const Request& request) { return http.send(request); };
  for (const OauthGrant& grant : grants) {
    const Secret& token = grant.tokens.refresh.empty() ? grant.tokens.access : grant.tokens.refresh;
    if (!grant.revocation || token.empty()) continue;
    removal.attempt(fmt::format("the grant of Managed OAuth at {}", grant.revocation->host), [&] {
      verify_host(state, send,
                  {.team = grant.application.auth_domain,
                   .application = grant.application,
                   .at = parse_url(grant.resource),
                   .token = Secret()});
      revoke_token({send}, *grant.revocation, grant.client, token);
      return true;
    });
  }
}

void end_all(Removal& removal, LogoutPlan& plan, const StateDirectory& state,
             const std::vector<AccessSession>& sessions, const TrustFlags& trust) {
  HttpClient http(connection_of(trust));
  const Send send = [&](const Request& request) { return http.send(request); };
  for (const AccessSession& session : sessions) {
    removal.attempt(
        fmt::format("your sessions at {}, which end within half a minute", session.team), [&] {
          verify_host(state, send, session);
          end_sessions(send, {session.at, session.token});
          // The session of the org token has ended as well.
          std::erase(plan.kept_teams, session.team);
          state.remove(org_token_file(session.team));
          return true;
        });
  }
}

int report(const Removal& removal, const LogoutPlan& plan, const LogoutFlags& flags) {
  if (!removal.removed() && !removal.failed()) {
    print_notice(flags.all ? "Nothing was stored.\n"
                           : fmt::format("Nothing was stored for {}.\n", printable(flags.url)));
  }
  for (const std::string& team : plan.kept_teams) {
    print_notice(
        fmt::format("The token of the team {} stays, and opens its applications without a browser; "
                    "logout --all forgets it.\n",
                    team));
  }
  return removal.failed() ? static_cast<int>(ErrorKind::failed) : 0;
}

int run(LogoutFlags& flags, const Invocation&) {
  if (flags.all == !flags.url.empty()) {
    throw Error(ErrorKind::usage, "which application? give its URL, or --all",
                "run: mayfly access logout URL");
  }
  std::optional<Url> url;
  if (!flags.all) url = parse_url(flags.url);
  Removal removal;
  LogoutPlan plan = plan_logout({}, {}, url);
  const auto state = StateDirectory::open_existing(state_directory_path());
  const auto sessions =
      state && flags.revoke ? sessions_to_end(*state, url) : std::vector<AccessSession>();
  std::vector<OauthGrant> grants;
  if (state) grants = remove_state(removal, plan, *state, url);
  remove_certificates(removal, plan, flags);
  // Not before: whatever the network does, nothing stays here.
  if (!grants.empty()) revoke_all(removal, *state, grants, flags.trust);
  if (!sessions.empty()) end_all(removal, plan, *state, sessions, flags.trust);
  if (flags.revoke && sessions.empty())
    print_notice("No valid token was stored, so no session at Access is known.\n");
  return report(removal, plan, flags);
}

}  // namespace

Command logout_command() {
  return {
      .name = "logout",
      .summary = "forget what is stored for an application, or for all",
      .usage = {.synopsis = "logout [--revoke] URL | --all",
                .description =
                    "Forget tokens, keys, certificates and caches of an application, or of all.",
                .examples = "  mayfly logout https://intranet.example.com\n"
                            "  mayfly logout --all"},
      .bind = bind_and_run<LogoutFlags, bind, run>};
}

}  // namespace mayfly::cli
