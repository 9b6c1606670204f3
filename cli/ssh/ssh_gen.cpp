// `mayfly access ssh-gen`: renews the short-lived certificate if it is not valid. ssh runs it
// before every connection, so a valid certificate is found before anything else is set up.
#include "cli/flags/command.hpp"
#include "cli/flags/host_argument.hpp"
#include "cli/session/calling_ssh.hpp"
#include "cli/session/session.hpp"
#include "cli/ssh/short_lived_certificate.hpp"
#include "cli/terminal/environment.hpp"
#include "sshconfig/control_path.hpp"
#include "sshconfig/match_exec.hpp"

namespace mayfly::cli {
namespace {

struct SshGenFlags {
  std::string hostname, host;
  std::string matching, control_path;
  bool check = false;
  CertificateFlags certificate;
  NetworkFlags network;
};

void bind(Parser& parser, SshGenFlags& flags) {
  parser.add_option("--hostname", flags.hostname, "the application").once();
  bind_host_argument(parser, flags.host);
  bind_matching(parser, flags.matching);
  parser.add_flag("--force", flags.certificate.force, "renew even a valid certificate");
  parser.add_flag("--check", flags.check, "exit 0 when valid, 1 when a renewal is due; no network");
  bind_certificate(parser, flags.certificate);
  parser
      .add_option("--renew-before", flags.certificate.renew_before,
                  "renew a certificate that ends within this time")
      .type_name("DURATION");
  parser
      .add_option("--control-path", flags.control_path,
                  "do nothing while a connection is shared at this socket")
      .type_name("PATH");
  bind_network_flags(parser, flags.network);
}

// Returns whether the ssh that runs this will use a connection that is open, and needs no
// certificate for it.
bool shares_connection(const SshGenFlags& flags) {
  if (flags.control_path.empty() || flags.certificate.force) return false;
  const auto ssh = nearest_ssh();
  return ssh && leaves_multiplexing(ssh->words) && sshconfig::has_master(flags.control_path);
}

int run(SshGenFlags& flags, const Invocation& invocation) {
  take_host(flags.hostname, flags.host);
  require_hostname(flags.hostname, invocation);
  refuse_oauth(flags.network);
  const Url url = application_url(flags.hostname, flags.matching);
  if (flags.check || !flags.certificate.force) {
    // --check changes nothing.
    const auto tidying = flags.check ? Tidying::never : Tidying::allowed;
    const bool is_valid = valid_certificate(url, flags.certificate, tidying).has_value();
    if (is_valid || flags.check) return is_valid ? 0 : 1;
  }
  // Doctor runs ssh (sshconfig/match_exec.hpp), and a script of a Match exec runs this ssh-gen.
  if (!variable(sshconfig::real_shell_variable).empty()) return 0;
  if (shares_connection(flags)) return 0;
  // ssh prints its configuration as a connection would use it, and needs no certificate for that.
  if (calling_ssh() == SshPurpose::no_login) return 0;
  Session session({.application = url,
                   .oauth = SessionOptions::Oauth::never,
                   .started_by = SessionOptions::StartedBy::ssh},
                  flags.network);
  ensure_certificate(session, url, flags.certificate);
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
