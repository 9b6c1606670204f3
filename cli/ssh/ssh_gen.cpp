// `mayfly access ssh-gen`: renews the short-lived certificate if it is not valid. ssh runs it
// before every connection, so a valid certificate is found before anything else is set up.
#include "access/core/clock.hpp"
#include "access/system/leftovers.hpp"
#include "cli/flags/command.hpp"
#include "cli/flags/host_argument.hpp"
#include "cli/session/session.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/time_text.hpp"
#include "sshconfig/match_exec.hpp"
#include "sshgen/ensure.hpp"

namespace mayfly::cli {
namespace {

struct SshGenFlags {
  std::string hostname, host;
  std::string matching;
  bool force = false, check = false, agent = false;
  std::string key_type;
  NetworkFlags network;
};

void bind(Parser& parser, SshGenFlags& flags) {
  parser.add_option("--hostname", flags.hostname, "the application").once();
  bind_host_argument(parser, flags.host);
  bind_matching(parser, flags.matching);
  parser.add_flag("--force", flags.force, "renew even a valid certificate");
  parser.add_flag("--check", flags.check, "exit 0 when valid, 1 when a renewal is due; no network");
  parser.add_flag("--agent", flags.agent, "keep the key in ssh-agent and not on disk");
  parser.add_option("--key-type", flags.key_type, "ecdsa (default) or ed25519")
      .one_of({"ecdsa", "ed25519"});
  bind_network_flags(parser, flags.network);
}

std::optional<sshgen::KeyType> key_type(const SshGenFlags& flags) {
  if (flags.key_type.empty()) return std::nullopt;
  return flags.key_type == "ed25519" ? sshgen::KeyType::ed25519 : sshgen::KeyType::ecdsa;
}

// --check changes nothing in the agent.
std::optional<sshgen::Certificate> valid_in_agent(const Url& url,
                                                  const std::optional<StateDirectory>& state,
                                                  const SshGenFlags& flags) {
  auto agent = sshgen::Agent::connect(variable("SSH_AUTH_SOCK"));
  if (state && !flags.check) return sshgen::valid_in_agent({*state, agent}, url, now());
  return agent.find_valid(sshgen::agent_comment(url), now());
}

bool is_valid(const SshGenFlags& flags, const Url& url) {
  const auto state = StateDirectory::open_existing(state_directory_path());
  if (state && !flags.check) clear_leftovers(*state);
  std::optional<sshgen::Certificate> found;
  if (flags.agent)
    found = valid_in_agent(url, state, flags);
  else if (state)
    found = sshgen::valid_on_disk(*state, url, now());
  return found && sshgen::is_of_type(*found, key_type(flags));
}

sshgen::EnsureOptions ensure_options(const SshGenFlags& flags) {
  sshgen::EnsureOptions options;
  options.key_type = key_type(flags);
  if (flags.force) options.renew = sshgen::EnsureOptions::Renew::always;
  return options;
}

int run(SshGenFlags& flags, const Invocation& invocation) {
  take_host(flags.hostname, flags.host);
  require_hostname(flags.hostname, invocation);
  const Url url = application_url(flags.hostname, flags.matching);
  if (flags.check || !flags.force) {
    const bool valid = is_valid(flags, url);
    if (valid || flags.check) return valid ? 0 : 1;
  }
  // Doctor runs ssh (sshconfig/match_exec.hpp), and a script of a Match exec runs this ssh-gen.
  if (!variable(sshconfig::real_shell_variable).empty()) return 0;
  Session session({.application = url, .oauth = SessionOptions::Oauth::never}, flags.network);
  const sshgen::Issuer issuer = sshgen::issuer_from(session.credentials(), session.send());
  if (flags.agent) {
    sshgen::Agent agent = sshgen::Agent::connect(variable("SSH_AUTH_SOCK"));
    sshgen::ensure_in_agent({session.state(), agent}, url, issuer, ensure_options(flags));
  } else {
    sshgen::ensure_certificate(session.state(), url, issuer, ensure_options(flags));
  }
  return 0;
}

}  // namespace

Command ssh_gen_command() {
  return {
      .name = "ssh-gen",
      .summary = "make sure a valid short-lived certificate is there",
      .usage = {.synopsis = "ssh-gen [flags] HOST",
                .description = "Make sure that a valid short-lived certificate for HOST is in the "
                               "state directory.",
                .examples = "  mayfly access ssh-gen --hostname vm.example.com\n"
                            "  mayfly access ssh-gen --hostname vm.example.com --check"},
      .bind = bind_and_run<SshGenFlags, bind, run>};
}

}  // namespace mayfly::cli
