// `mayfly doctor`: checks each step to an application, and says which step fails and why.
#include <unistd.h>

#include "access/core/error.hpp"
#include "access/system/interrupt.hpp"
#include "cli/doctor/check.hpp"
#include "cli/doctor/diagnosis.hpp"
#include "cli/doctor/server.hpp"
#include "cli/flags/command.hpp"
#include "cli/flags/host_argument.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/message.hpp"

namespace mayfly::cli {
namespace doctor {
namespace {

struct Step {
  std::string_view name;
  CheckResult (*check)(Diagnosis&);
};

// Each may need those before it: the first that fails is the cause.
constexpr Step steps[] = {
    {"state_directory", check_state_directory},
    {"proxy", check_proxy},
    {"dns", check_dns},
    {"tcp_ipv4", check_tcp_ipv4},
    {"tcp_ipv6", check_tcp_ipv6},
    {"tls", check_tls},
    {"clock", check_clock},
    {"application", check_application},
    {"client_certificate", check_client_certificate},
    {"service_token", check_service_token},
    {"token", check_token},
    {"upgrade", check_upgrade},
    {"ssh_banner", check_ssh_banner},
    {"ssh_config", check_ssh_config},
    {"ssh_certificate", check_ssh_certificate},
    {"agent", check_agent},
};

CheckResult result_of(const Step& step, Diagnosis& diagnosis) {
  try {
    return step.check(diagnosis);
  } catch (const Error& error) {
    return failed(error);
  }
}

// Throws Error(failed) at an interrupt.
Check perform(const Step& step, Diagnosis& diagnosis) {
  const auto begin = std::chrono::steady_clock::now();
  CheckResult result = result_of(step, diagnosis);
  if (interrupted_by() != 0) throw Error(ErrorKind::failed, "interrupted");
  if (result.state == CheckResult::State::failed && result.hint.empty())
    result.hint = general_hint(result.kind);
  result.hint = as_called(std::move(result.hint));
  const auto took = std::chrono::steady_clock::now() - begin;
  return {step.name, std::move(result),
          std::chrono::duration_cast<std::chrono::milliseconds>(took)};
}

struct DoctorFlags {
  std::string hostname, host, alias, destination;
  bool json = false, server = false;
  ServerTarget server_target;
  NetworkFlags network;
};

void bind(Parser& parser, DoctorFlags& flags) {
  parser.add_option("--hostname", flags.hostname, "the application")
      .envname("TUNNEL_SERVICE_HOSTNAME")
      .once();
  bind_host_argument(parser, flags.host);
  parser.add_option("--alias", flags.alias, "the name typed after ssh, when it is another one")
      .type_name("NAME");
  bind_destination(parser, flags.destination);
  parser.add_flag("--json", flags.json, "print JSON, when all is done");
  parser.add_flag("--server", flags.server, "check this machine's sshd instead; as root");
  parser.add_option("--as", flags.server_target.email, "with --server: the person's email address")
      .type_name("EMAIL");
  parser.add_option("--user", flags.server_target.user, "with --server: the Unix user")
      .type_name("USER");
  parser.add_option("--file", flags.server_target.config, "with --server: another sshd_config")
      .type_name("FILE");
  bind_network_flags(parser, flags.network);
}

bool is_capable_terminal() {
  return ::isatty(STDOUT_FILENO) == 1 && terminal_kind() == Terminal::Kind::capable;
}

// Respects NO_COLOR (no-color.org).
Paint paint() {
  return is_capable_terminal() && variable("NO_COLOR").empty() ? Paint::colors : Paint::none;
}

// Prints each check as soon as it is done, and at a terminal the name of the running check.
std::vector<Check> check_showing_lines(Diagnosis& diagnosis) {
  const bool shows_running = is_capable_terminal();
  std::vector<Check> checks;
  for (const Step& step : steps) {
    if (shows_running) print_result(running_line(step.name));
    checks.push_back(perform(step, diagnosis));
    print_result((shows_running ? "\r\x1b[K" : "") + check_lines(checks.back(), paint()));
  }
  return checks;
}

std::vector<Check> check_silently(Diagnosis& diagnosis) {
  std::vector<Check> checks;
  for (const Step& step : steps) checks.push_back(perform(step, diagnosis));
  return checks;
}

void check_usage(const DoctorFlags& flags) {
  const ServerTarget& target = flags.server_target;
  const bool is_about_server =
      !target.email.empty() || !target.user.empty() || !target.config.empty();
  if (is_about_server && !flags.server)
    throw Error(ErrorKind::usage, "--as, --user and --file go with --server");
  if (flags.server && (!flags.hostname.empty() || !flags.host.empty()))
    throw Error(ErrorKind::usage, "--server is about this machine, and takes no host",
                "run doctor HOST on the machine of the person");
}

int run_for_server(const DoctorFlags& flags) {
  ServerTarget target = with_default_user(flags.server_target);
  target.config = target.config.empty() ? "/etc/ssh/sshd_config" : absolute_path(target.config);
  const auto checks = check_server(target);
  if (flags.json) {
    print_result(report_json({"user", target.user}, checks));
  } else {
    for (const Check& check : checks) print_result(check_lines(check, paint()));
    print_result(summary_line(well_sentence(target), checks, paint()));
  }
  return exit_code(checks);
}

int run(DoctorFlags& flags, const Invocation& invocation) {
  // The variable names an application for other commands; it is no question.
  if (flags.server && flags.hostname == variable("TUNNEL_SERVICE_HOSTNAME")) flags.hostname = "";
  check_usage(flags);
  if (flags.server) return run_for_server(flags);
  take_host(flags.hostname, flags.host);
  require_hostname(flags.hostname, invocation);
  start_logging(log_settings_of(flags.network.logging, LogSettings::Terminal::silent));
  Target target{parse_url(flags.hostname), flags.alias, flags.destination};
  // The host alone may be another application than a path of it.
  if (target.typed.empty() && target.url.path.size() <= 1) target.typed = target.url.host;
  const std::string shown = target.url.authority() + target.url.path;
  Diagnosis diagnosis(target, flags.network);
  const auto checks = flags.json ? check_silently(diagnosis) : check_showing_lines(diagnosis);
  print_result(flags.json ? report_json({"hostname", shown}, checks)
                          : summary_line(shown + " can be reached", checks, paint()));
  return exit_code(checks);
}

}  // namespace
}  // namespace doctor

Command doctor_command() {
  return {
      .name = "doctor",
      .summary = "say which step to an application fails, and why",
      .usage = {.synopsis = "doctor [flags] HOST",
                .description =
                    "Try each step on the way to an application, and say which one fails, why, and "
                    "what to do. Asks nobody, logs nobody in, changes nothing.",
                .examples =
                    "  mayfly doctor --hostname vm.example.com\n"
                    "  mayfly doctor --hostname vm.example.com --json | jq -r .first_failure\n"
                    "  sudo mayfly doctor --server --as jdoe@example.com --user deploy"},
      .bind = bind_and_run<doctor::DoctorFlags, doctor::bind, doctor::run>};
}

}  // namespace mayfly::cli
