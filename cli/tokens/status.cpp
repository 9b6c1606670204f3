// `mayfly status`: shows the stored credentials, and changes nothing. Uses no network but with
// --online.
#include <fmt/core.h>

#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "cli/flags/command.hpp"
#include "cli/session/session.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/message.hpp"
#include "cli/terminal/time_text.hpp"
#include "cli/tokens/sessions.hpp"
#include "cli/tokens/status_report.hpp"

namespace mayfly::cli {
namespace {

struct Stored {
  Inventory inventory;
  std::vector<sshgen::KeptCertificate> certificates;
  std::vector<HttpPort> listeners;
};

// A failure of the agent or of one file is a warning, and the rest is still shown.
template <typename Look>
void warn_of_error(Look look) {
  try {
    look();
  } catch (const Error& error) {
    print_warning(error.message());
  }
}

Stored look(const std::string& directory) {
  Stored stored;
  if (const auto state = StateDirectory::open_existing(directory)) {
    stored.inventory = take_inventory(*state);
    stored.certificates = sshgen::certificates_on_disk(*state, now());
    warn_of_error([&] { stored.listeners = remembered_http_ports(*state); });
  }
  if (auto agent = reachable_agent()) {
    warn_of_error([&] {
      for (auto& kept : sshgen::certificates_in_agent(*agent))
        stored.certificates.push_back(std::move(kept));
    });
  }
  return stored;
}

void print_table(const StatusReport& report) {
  if (report.entries.empty() && report.listeners.empty()) {
    print_notice(fmt::format("Nothing is stored in {}.\n", printable(report.directory)));
    return;
  }
  if (!report.entries.empty()) print_result(status_table(report.entries, now()));
  print_result(listener_lines(report.listeners));
  if (report.online) print_result(online_lines(*report.online));
  for (const StatusEntry& entry : report.entries)
    if (!entry.problem.empty()) print_warning(printable(entry.problem, 1000));
}

struct StatusFlags {
  bool json = false, online = false;
  TrustFlags trust;
};

void bind(Parser& parser, StatusFlags& flags) {
  parser.add_flag("--json", flags.json, "print JSON, with times in RFC 3339");
  parser.add_flag("--online", flags.online, "ask Access who you are, too");
  bind_trust_flags(parser, flags.trust);
}

struct Asked {
  std::vector<OnlineAnswer> answers;
  int code = 0;  // the exit code of the first question that failed
};

// `logouts` is made before the tokens are read.
Asked ask_access(const StateDirectory& state, const TrustFlags& trust, const LogoutWatch& logouts,
                 const std::vector<AccessSession>& sessions) {
  HttpClient http(connection_of(trust));
  const Send send = [&](const Request& request) { return http.send(request); };
  Asked asked;
  for (const AccessSession& session : sessions) {
    OnlineAnswer answer{.team = session.team,
                        .application = session.application ? session.name() : "",
                        .person = std::nullopt,
                        .problem = ""};
    try {
      verify_host(state, send, session);
      answer.person = ask_person(
          send, {session.at, session.token, [&] { require_no_logout(logouts, session); }});
    } catch (const Error& error) {
      answer.problem = error.message();
      if (asked.code == 0) asked.code = static_cast<int>(error.kind());
    }
    asked.answers.push_back(std::move(answer));
  }
  return asked;
}

Asked ask_access(const std::string& directory, const TrustFlags& trust) {
  const auto state = StateDirectory::open_existing(directory);
  if (!state) return {};
  const LogoutWatch logouts(*state);
  const Inventory inventory = take_inventory(*state);
  return ask_access(*state, trust, logouts,
                    sessions_of(*state, inventory, inventory.tokens, now()));
}

int run(StatusFlags& flags, const Invocation&) {
  const std::string directory = state_directory_path();
  Stored stored = look(directory);
  StatusReport report{.directory = directory,
                      .entries = status_entries(stored.inventory, stored.certificates, now()),
                      .listeners = std::move(stored.listeners)};
  int code = 0;
  if (flags.online) {
    Asked asked = ask_access(directory, flags.trust);
    report.online = std::move(asked.answers);
    code = asked.code;
  }
  if (flags.json)
    print_result(status_json(report, now()));
  else
    print_table(report);
  return code;
}

}  // namespace

Command status_command() {
  return {.name = "status",
          .summary = "show tokens and certificates, and when they end",
          .usage = {.synopsis = "status [--json] [--online]",
                    .description = "Show the stored tokens and certificates, and when they end.",
                    .examples = "  mayfly status\n"
                                "  mayfly status --json | jq -r '.entries[] | select(.state == "
                                "\"valid\").opens'"},
          .bind = bind_and_run<StatusFlags, bind, run>};
}

}  // namespace mayfly::cli
