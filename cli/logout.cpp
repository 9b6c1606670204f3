// `mayfly logout`: forgets what is stored for one application, or for all; no network.
#include "access/identity/logout.hpp"

#include <fmt/core.h>

#include <functional>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/identity/team_keys.hpp"
#include "access/system/leftovers.hpp"
#include "access/system/lock.hpp"
#include "cli/environment.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/status/logout_plan.hpp"
#include "cli/terminal/message.hpp"
#include "cli/tunnel/http_address.hpp"
#include "sshgen/inventory.hpp"
#include "sshgen/on_disk.hpp"

namespace mayfly::cli {
namespace {

struct LogoutFlags {
  std::string url;
  bool all = false;
};

// What went and what did not: one thing that cannot be removed does not keep the others.
class Forgetting {
 public:
  // action: true when there was something.
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

void forget_files(Forgetting& forgetting, const StateDirectory& state, const LogoutPlan& plan,
                  const Inventory& inventory) {
  for (const TokenFile& token : plan.tokens) {
    const bool is_team = token.kind == TokenFile::Kind::team;
    forgetting.attempt(fmt::format("the token of {}{}", is_team ? "the team " : "",
                                   hostname_at(token.place, inventory)),
                       [&] { return state.remove(token.name); });
  }
  for (const std::string& place : plan.places) {
    forgetting.attempt(fmt::format("key and certificate of {}", place), [&] {
      return sshgen::remove_from_disk(state, sshgen::key_files_at(place));
    });
  }
  for (const RememberedApplication& known : plan.applications) {
    forgetting.attempt(fmt::format("what was remembered of {}", known.place),
                       [&] { return state.remove(known.file); });
  }
  for (const std::string& team : plan.key_sets) {
    forgetting.attempt(fmt::format("the public keys of {}", team),
                       [&] { return state.remove(keys_file(team)); });
  }
}

// A full disk may have room once files are removed. So the mark that is written then says whether
// marks can be written.
void mark_if_possible(const Logout& logout, const LogoutPlan& plan) {
  try {
    logout.mark(plan.marked);
  } catch (const Error&) {
  }
}

void forget_locks(Forgetting& forgetting, const StateDirectory& state, const LogoutPlan& plan) {
  for (const std::string& base : plan.lock_bases) {
    forgetting.attempt(fmt::format("what a login left behind: {}.lock", base), [&] {
      const LeftoverLock found = remove_leftover_lock(state, base);
      if (found == LeftoverLock::held)
        print_warning(fmt::format(
            "a login is under way; one of cloudflared's stores a token when it is done: {}",
            printable(base)));
      return found == LeftoverLock::removed;
    });
  }
}

// An agent that cannot be reached is none: SSH_AUTH_SOCK often outlives it.
std::optional<sshgen::Agent> reachable_agent() {
  const std::string socket = variable("SSH_AUTH_SOCK");
  if (socket.empty()) return std::nullopt;
  try {
    return sshgen::Agent::connect(socket, std::chrono::seconds(3));
  } catch (const Error& error) {
    print_warning(error.message());
    return std::nullopt;
  }
}

void forget_in_agent(Forgetting& forgetting, sshgen::Agent& agent,
                     const sshgen::KeptCertificate& kept) {
  forgetting.attempt(fmt::format("the certificate of {} from ssh-agent", kept.place), [&] {
    if (!agent.remove(kept.certificate->blob))
      throw Error(ErrorKind::failed,
                  fmt::format("ssh-agent keeps the certificate of {}", printable(kept.place)),
                  "unlock it with ssh-add -X, or end it");
    return true;
  });
}

void forget_in_agent(Forgetting& forgetting, const std::vector<std::string>& places,
                     const LogoutFlags& flags) {
  auto agent = reachable_agent();
  if (!agent) return;
  std::vector<sshgen::KeptCertificate> all;
  forgetting.attempt("certificates from ssh-agent", [&] {
    all = sshgen::certificates_in_agent(*agent);
    return false;
  });
  for (const auto& kept : all)
    if (flags.all || std::find(places.begin(), places.end(), kept.place) != places.end())
      forget_in_agent(forgetting, *agent, kept);
}

int report(const Forgetting& forgetting, const LogoutPlan& plan, const LogoutFlags& flags) {
  if (!forgetting.removed() && !forgetting.failed()) {
    print_notice(flags.all ? "Nothing was stored.\n"
                           : fmt::format("Nothing was stored for {}.\n", printable(flags.url)));
  }
  for (const std::string& team : plan.kept_teams) {
    print_notice(
        fmt::format("The token of the team {} stays, and opens its applications without a browser; "
                    "logout --all forgets it.\n",
                    team));
  }
  return forgetting.failed() ? static_cast<int>(ErrorKind::failed) : 0;
}

}  // namespace

int run_logout(const Invocation& invocation) {
  LogoutFlags flags;
  Parser parser(
      {.synopsis = "logout URL | --all",
       .description = "Forget tokens, keys, certificates and caches of an application, or of all.",
       .examples = "  mayfly logout https://intranet.example.com\n"
                   "  mayfly logout --all"});
  parser.add_option("URL", flags.url, "the application");
  parser.add_flag("--all", flags.all, "everything, with the tokens of teams");
  if (parse_arguments(parser, invocation) == Parsed::help_shown) return 0;
  if (flags.all == !flags.url.empty()) {
    throw Error(ErrorKind::usage, "which application? give its URL, or --all",
                "run: mayfly access logout URL");
  }
  std::optional<Url> url;
  if (!flags.all) url = parse_url(flags.url);

  Forgetting forgetting;
  LogoutPlan plan = plan_logout({}, {}, url);
  if (const auto state = StateDirectory::open_existing(state_directory_path())) {
    Inventory inventory;
    const auto look = [&] {
      inventory = take_inventory(*state);
      plan = plan_logout(inventory, sshgen::places_with_keys(*state), url);
    };
    look();
    const Logout logout(*state);
    mark_if_possible(logout, plan);
    if (logout.not_locked())
      forgetting.attempt("what running commands store",
                         [&]() -> bool { throw Error(*logout.not_locked()); });
    look();  // what was stored until the lock was there
    forget_files(forgetting, *state, plan, inventory);
    forget_locks(forgetting, *state, plan);
    // No secret, but a trace. After the logout of one application it stays: its cookies and storage
    // are at that address in the browser, and no other application is to get there.
    if (flags.all)
      forgetting.attempt("the ports of mayfly http", [&] { return forget_http_ports(*state); });
    forgetting.attempt("the logins of running commands", [&] {
      logout.mark(plan.marked);
      return false;
    });
    clear_leftovers(*state);
  }
  forget_in_agent(forgetting, plan.places, flags);
  return report(forgetting, plan, flags);
}

}  // namespace mayfly::cli
