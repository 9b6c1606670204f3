// `mayfly access ssh-config`: prints, installs or removes the block that makes `ssh HOST` work.
#include <fmt/core.h>

#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/core/url.hpp"
#include "access/system/child_environment.hpp"
#include "cli/flags/command.hpp"
#include "cli/flags/host_argument.hpp"
#include "cli/flags/network_flags.hpp"
#include "cli/ssh/authority_key_file.hpp"
#include "cli/ssh/short_lived_certificate.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/message.hpp"
#include "cli/terminal/time_text.hpp"
#include "sshconfig/control_path.hpp"
#include "sshconfig/hosts.hpp"
#include "sshconfig/install.hpp"
#include "sshconfig/render.hpp"
#include "sshgen/agent.hpp"
#include "sshgen/on_disk.hpp"
#include "sshgen/own_key.hpp"

namespace mayfly::cli {
namespace {

// The variables at the start: parsing takes the secret out of the environment.
struct ServiceTokenVariables {
  std::string id = variable("TUNNEL_SERVICE_TOKEN_ID");
  std::string secret = variable("TUNNEL_SERVICE_TOKEN_SECRET");
};

struct SshConfigFlags {
  std::string hostname, host, user, alias, multiplex;
  std::string host_ca;
  bool short_lived = false, pin_host_key = false;
  bool write = false, remove = false, dry_run = false;
  CertificateFlags certificate;
  NetworkFlags network;
  ServiceTokenVariables variables;
};

void bind(Parser& parser, SshConfigFlags& flags) {
  parser.add_option("--hostname", flags.hostname, "the application").once();
  bind_host_argument(parser, flags.host);
  parser.add_flag("--short-lived-cert", flags.short_lived, "use short-lived certificates");
  parser.add_option("--user", flags.user, "user name at the server").type_name("NAME");
  parser.add_option("--alias", flags.alias, "a short name to type after ssh").type_name("NAME");
  bind_certificate(parser, flags.certificate);
  parser
      .add_option("--multiplex", flags.multiplex,
                  "share a connection, and keep it for so long after the last use")
      .type_name("DURATION");
  parser.add_flag("--pin-host-key", flags.pin_host_key,
                  "keep the server's key of the first connection, and accept no other one");
  parser.add_option("--host-ca", flags.host_ca, "accept only server keys that this CA certified")
      .type_name("FILE");
  const auto write = parser.add_flag("--write", flags.write, "install the block for ssh");
  parser
      .add_flag("--remove", flags.remove,
                "take the installed block out again; all without --hostname")
      .excludes(write);
  parser.add_flag("--dry-run", flags.dry_run, "with --write or --remove: show the changes only");
  bind_network_flags(parser, flags.network);
}

// ssh makes its control sockets in a directory of the state directory, or of the session's if the
// former has too long a name for a socket.
std::string control_directory() {
  const std::string session = variable("XDG_RUNTIME_DIR");
  return sshconfig::first_that_fits({absolute_path(state_directory_path()) + "/ssh",
                                     session.starts_with('/') ? session + "/mayfly" : ""});
}

sshconfig::InstallPaths install_paths() {
  return {.ssh_directory = home_directory() + "/.ssh"};
}

std::optional<sshconfig::BlockOptions::HostKeys> host_keys(const SshConfigFlags& flags) {
  if (!flags.pin_host_key && flags.host_ca.empty()) return std::nullopt;
  const auto paths = install_paths();
  // ssh takes "~" for the home directory of the account.
  const bool is_usual = home_directory() == home_of_account();
  return sshconfig::BlockOptions::HostKeys{
      fmt::format("{}/{}", is_usual ? "~/.ssh" : paths.ssh_directory, paths.known_hosts),
      flags.host_ca.empty() ? sshconfig::HostKeyTrust::first : sshconfig::HostKeyTrust::certified};
}

sshconfig::BlockOptions block_options(const SshConfigFlags& flags) {
  sshconfig::BlockOptions options;
  options.program = program_path();
  options.host = flags.hostname;
  if (!flags.certificate.public_key.empty()) {
    options.certificate = sshconfig::BlockOptions::Certificate::own_key;
    options.own_key = own_key_in_block(flags.certificate.public_key);
  } else if (is_in_agent(flags.certificate)) {
    options.certificate = sshconfig::BlockOptions::Certificate::agent;
    options.confirms = flags.certificate.agent_confirm;
  } else if (flags.short_lived) {
    options.certificate = sshconfig::BlockOptions::Certificate::short_lived;
  }
  options.key_type = flags.certificate.key_type;
  if (!variable("MAYFLY_HOME").empty()) options.state_directory = state_directory_path();
  options.connection_flags = repeated_flags(flags.network);
  options.host_keys = host_keys(flags);
  if (!flags.user.empty()) options.user = flags.user;
  if (!flags.alias.empty()) options.alias = flags.alias;
  if (!flags.multiplex.empty())
    options.multiplexing = {.persist = flags.multiplex, .directory = control_directory()};
  return options;
}

std::optional<sshgen::Certificate> certificate_in_agent(const Url& url) {
  try {
    return sshgen::Agent::connect(variable("SSH_AUTH_SOCK"))
        .find_valid(sshgen::agent_comment(url), now());
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<sshgen::Certificate> known_certificate(const SshConfigFlags& flags) {
  if (flags.hostname.find('*') != std::string::npos) return std::nullopt;
  const Url url = parse_url(flags.hostname);
  if (is_in_agent(flags.certificate)) return certificate_in_agent(url);
  const auto state = StateDirectory::open_existing(state_directory_path());
  if (state && !flags.certificate.public_key.empty())
    return sshgen::look_at_own(*state, sshgen::key_files(url),
                               sshgen::read_own_key(flags.certificate.public_key), now())
        .certificate;
  return state ? sshgen::look_on_disk(*state, url, now()).certificate : std::nullopt;
}

// Returns the certificate's principal, which is the user name at the server, if there is only one.
std::optional<std::string> known_principal(const SshConfigFlags& flags) {
  const auto certificate = known_certificate(flags);
  if (!certificate || certificate->principals.size() != 1) return std::nullopt;
  return certificate->principals.front();
}

std::vector<std::string> host_authorities(const SshConfigFlags& flags) {
  return flags.host_ca.empty() ? std::vector<std::string>() : read_authority_keys(flags.host_ca);
}

std::vector<sshconfig::Change> plan(const SshConfigFlags& flags) {
  if (flags.remove) return sshconfig::plan_removal(install_paths(), flags.hostname);
  if (flags.hostname.empty()) {
    throw Error(ErrorKind::usage, "which host? --write needs --hostname",
                "run: mayfly access ssh-config --hostname HOST --write");
  }
  sshconfig::BlockOptions options = block_options(flags);
  if (!options.user) options.user = known_principal(flags);
  options.fallback = sshconfig::BlockOptions::Fallback::tunnel;
  return sshconfig::plan_install(install_paths(), flags.hostname, sshconfig::render_block(options),
                                 host_authorities(flags));
}

// Warns of what keeps ssh from using the block.
void warn_of_bypasses(const SshConfigFlags& flags) {
  const auto directory = install_paths().ssh_directory;
  const auto home = home_of_account();
  if (!home.empty() && home != home_directory())
    print_warning(
        fmt::format("ssh reads {}/.ssh/config and not {}/config, because HOME is not the "
                    "home directory of the account",
                    printable(home), printable(directory)));
  for (const auto& alias : sshconfig::configured_aliases(directory, flags.hostname))
    if (alias != flags.alias && alias != flags.hostname)
      print_warning(
          fmt::format("`ssh {0}` goes to {1} without Access, because of a Host line in your "
                      "configuration; to include it, add: --alias {0}",
                      printable(alias), printable(flags.hostname)));
}

void change_configuration(const SshConfigFlags& flags) {
  const auto changes = plan(flags);
  if (flags.dry_run) return print_result(sshconfig::preview(changes));
  sshconfig::clear_leftovers(install_paths());
  sshconfig::carry_out(changes);
  for (const auto& change : changes) print_notice(fmt::format("changed {}\n", change.path));
  if (changes.empty()) print_notice("nothing to change\n");
  if (flags.write && !changes.empty()) warn_of_bypasses(flags);
}

// Leaves a service token out of the block that ssh inherits in its environment.
void leave_to_environment(IdentityFlags& flags, const ServiceTokenVariables& variables) {
  if (flags.service_token_secret.empty() || !flags.service_token_secret_file.empty()) return;
  if (flags.service_token_secret != variables.secret) {
    throw Error(ErrorKind::usage, "a service token's secret is not written into an ssh_config",
                "put it into a file and give --service-token-secret-file, or set "
                "TUNNEL_SERVICE_TOKEN_ID and TUNNEL_SERVICE_TOKEN_SECRET where ssh runs");
  }
  if (flags.service_token_id == variables.id) flags.service_token_id.clear();
}

// Every user of the machine can read the words of a ProxyCommand in ps.
void refuse_secrets(const NetworkFlags& flags) {
  if (flags.trust.proxy.find('@') != std::string::npos) {
    throw Error(ErrorKind::usage,
                "user name and password of a proxy are not written into an ssh_config",
                "leave --proxy out, and set HTTPS_PROXY to that URL where ssh runs");
  }
  if (is_secret_variable("MAYFLY_CERT", flags.identity.certificate) ||
      is_secret_variable("MAYFLY_KEY", flags.identity.key)) {
    throw Error(
        ErrorKind::usage, "a PIN is not written into an ssh_config",
        "put it into a file, and name that with --cert-password-file or as pin-source in the URI");
  }
}

void check(const SshConfigFlags& flags) {
  if (flags.dry_run && !flags.write && !flags.remove) {
    throw Error(ErrorKind::usage, "--dry-run goes with --write or --remove");
  }
  if (!flags.certificate.public_key.empty()) sshgen::read_own_key(flags.certificate.public_key);
  if (!flags.multiplex.empty() && !parse_duration(flags.multiplex)) {
    throw Error(ErrorKind::usage,
                fmt::format("--multiplex: {} is no duration", printable(flags.multiplex)),
                "write for example 10m, 1h30m or 2d");
  }
  if (!flags.host_ca.empty() && flags.hostname.empty()) {
    throw Error(ErrorKind::usage, "--host-ca needs the host that it is for", "add --hostname");
  }
  const bool has_certificate =
      flags.short_lived || is_in_agent(flags.certificate) || !flags.certificate.public_key.empty();
  if (has_certificate) refuse_oauth(flags.network);
  if (!flags.certificate.key_type.empty() && !has_certificate) {
    throw Error(ErrorKind::usage, "--key-type goes with --short-lived-cert or --agent",
                "without them the block makes no key");
  }
}

int run(SshConfigFlags& flags, const Invocation&) {
  take_host(flags.hostname, flags.host);
  check(flags);
  flags.hostname = sshconfig::block_host(flags.hostname);
  leave_to_environment(flags.network.identity, flags.variables);
  refuse_secrets(flags.network);
  if (flags.write || flags.remove) {
    change_configuration(flags);
    return 0;
  }
  std::string advice = sshconfig::render_advice(block_options(flags), home_directory());
  if (!flags.host_ca.empty())
    advice +=
        fmt::format("\nAdd to your {}/.ssh/{}:\n\n{}", printable(home_directory(), 4096),
                    install_paths().known_hosts,
                    sshconfig::with_host_authorities("", flags.hostname, host_authorities(flags)));
  print_result(advice);
  return 0;
}

}  // namespace

Command ssh_config_command() {
  return {.name = "ssh-config",
          .summary = "print the ssh_config block for a host",
          .usage = {.synopsis = "ssh-config [flags] HOST",
                    .description = "Print the block for ~/.ssh/config that makes `ssh HOST` work.",
                    .examples =
                        "  mayfly access ssh-config --hostname vm.example.com --short-lived-cert\n"
                        "  mayfly ssh-config --hostname vm.example.com --short-lived-cert --write\n"
                        "  mayfly ssh-config --hostname vm.example.com --remove"},
          .bind = bind_and_run<SshConfigFlags, bind, run>};
}

}  // namespace mayfly::cli
