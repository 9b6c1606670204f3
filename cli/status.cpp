// `mayfly status`: what is stored, what it opens, and when it ends; no network, nothing changes.
#include <fmt/core.h>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "cli/environment.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/session.hpp"
#include "cli/status/status_report.hpp"
#include "cli/terminal/message.hpp"

namespace mayfly::cli {
namespace {

struct Stored {
  Inventory inventory;
  std::vector<sshgen::KeptCertificate> certificates;
  std::vector<HttpPort> listeners;
};

// An agent that hangs holds nothing up for long, and one that is gone holds no certificate.
void add_certificates_in_agent(Stored& stored) {
  const std::string socket = variable("SSH_AUTH_SOCK");
  if (socket.empty()) return;
  try {
    auto agent = sshgen::Agent::connect(socket, std::chrono::seconds(3));
    for (auto& kept : sshgen::certificates_in_agent(agent))
      stored.certificates.push_back(std::move(kept));
  } catch (const Error& error) {
    print_warning(error.message());
  }
}

void add_listeners(Stored& stored, const StateDirectory& state) {
  try {
    stored.listeners = remembered_http_ports(state);
  } catch (const Error& error) {
    print_warning(error.message());
  }
}

Stored look(const std::string& directory) {
  Stored stored;
  if (const auto state = StateDirectory::open_existing(directory)) {
    stored.inventory = take_inventory(*state);
    stored.certificates = sshgen::certificates_on_disk(*state, now());
    add_listeners(stored, *state);
  }
  add_certificates_in_agent(stored);
  return stored;
}

void print_table(const StatusReport& report) {
  if (report.entries.empty() && report.listeners.empty()) {
    print_notice(fmt::format("Nothing is stored in {}.\n", printable(report.directory)));
    return;
  }
  if (!report.entries.empty()) print_product(status_table(report.entries, now()));
  print_product(listener_lines(report.listeners));
  for (const StatusEntry& entry : report.entries)
    if (!entry.problem.empty()) print_warning(printable(entry.problem, 1000));
}

}  // namespace

int run_status(const Invocation& invocation) {
  bool json = false;
  Parser parser(
      {.synopsis = "status [--json]",
       .description = "Show the stored tokens and certificates, and when they end.",
       .examples =
           "  mayfly status\n"
           "  mayfly status --json | jq -r '.entries[] | select(.state == \"valid\").opens'"});
  parser.add_flag("--json", json, "print JSON, with times in RFC 3339");
  if (parse_arguments(parser, invocation) == Parsed::help_shown) return 0;

  const std::string directory = state_directory_path();
  Stored stored = look(directory);
  const StatusReport report{.directory = directory,
                            .entries = status_entries(stored.inventory, stored.certificates, now()),
                            .listeners = std::move(stored.listeners)};
  if (json)
    print_product(status_json(report, now()));
  else
    print_table(report);
  return 0;
}

}  // namespace mayfly::cli
