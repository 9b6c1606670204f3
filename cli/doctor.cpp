// `mayfly doctor`: goes the way to an application step by step, and says which step fails and why.
#include <unistd.h>

#include "access/core/error.hpp"
#include "cli/doctor/examination.hpp"
#include "cli/doctor/report.hpp"
#include "cli/environment.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/flags/network_values.hpp"
#include "cli/terminal/message.hpp"
#include "cli/terminal/terminal.hpp"

namespace mayfly::cli {
namespace {

using doctor::Check;
using doctor::Paint;

struct DoctorFlags {
  std::string hostname, alias, destination;
  bool json = false;
  NetworkFlags network;
};

void bind(Parser& parser, DoctorFlags& flags, const Invocation& invocation) {
  parser.add_option("--hostname", flags.hostname, "the application")
      .envname("TUNNEL_SERVICE_HOSTNAME")
      .required();
  parser.add_option("--alias", flags.alias, "the name typed after ssh, when it is another one")
      .type_name("NAME");
  parser.add_option("--destination", flags.destination, "HOST:PORT behind a bastion application")
      .envname("TUNNEL_SERVICE_DESTINATION")
      .type_name("HOST:PORT");
  parser.add_flag("--json", flags.json, "print JSON, when all is done");
  bind_network_flags(parser, flags.network, invocation);
}

bool is_capable_terminal() {
  return ::isatty(STDOUT_FILENO) == 1 && terminal_kind() == Terminal::Kind::capable;
}

// no-color.org
Paint paint() {
  return is_capable_terminal() && variable("NO_COLOR").empty() ? Paint::colors : Paint::none;
}

// Each line as soon as it is known; at a terminal also what is waited for.
doctor::Watcher line_by_line() {
  const bool shows_running = is_capable_terminal();
  doctor::Watcher watcher;
  if (shows_running)
    watcher.begins = [](std::string_view name) { print_product(doctor::running_line(name)); };
  watcher.ends = [shows_running, paint = paint()](const Check& check) {
    const std::string_view overwrite = shows_running ? "\r\x1b[K" : "";
    print_product(std::string(overwrite) + doctor::check_lines(check, paint));
  };
  return watcher;
}

}  // namespace

int run_doctor(const Invocation& invocation) {
  DoctorFlags flags;
  Parser parser(
      {.synopsis = "doctor [flags] --hostname HOST",
       .description =
           "Try each step on the way to an application, and say which one fails, why, and "
           "what to do. Asks nobody, logs nobody in, changes nothing.",
       .examples = "  mayfly doctor --hostname vm.example.com\n"
                   "  mayfly doctor --hostname vm.example.com --json | jq -r .first_failure"});
  bind(parser, flags, invocation);
  if (parse_arguments(parser, invocation) == Parsed::help_shown) return 0;

  start_logging(log_settings_of(flags.network, LogSettings::Terminal::silent));
  doctor::Examined examined{.url = parse_url(flags.hostname),
                            .typed = flags.alias,
                            .destination = flags.destination,
                            .flags = flags.network};
  // Of several applications on one host, the host alone may be another.
  if (examined.typed.empty() && examined.url.path.size() <= 1) examined.typed = examined.url.host;
  const std::string shown = examined.url.authority() + examined.url.path;
  const auto checks = doctor::examine(examined, flags.json ? doctor::Watcher{} : line_by_line());
  print_product(flags.json ? doctor::report_json(shown, checks)
                           : doctor::summary_line(shown, checks, paint()));
  return doctor::exit_code(checks);
}

}  // namespace mayfly::cli
