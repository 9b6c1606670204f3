// What `mayfly status` says about the tokens and certificates that are there.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "access/identity/inventory.hpp"
#include "cli/tunnel/http_address.hpp"
#include "sshgen/inventory.hpp"

namespace mayfly::cli {

struct StatusEntry {
  enum class Kind { app_token, org_token, certificate } kind = Kind::app_token;
  enum class Place { disk, agent } place = Place::disk;
  enum class State { valid, not_yet_valid, expired, malformed } state = State::valid;
  std::string opens;     // hostname of the application as defined, or the team's domain
  std::string identity;  // email or common name; a certificate's principals; "" when malformed
  std::optional<std::chrono::sys_seconds> expires;  // nothing: malformed, or never
  std::string file;                                 // "" in the agent
  std::string problem;                              // of what is malformed
};

// Tokens of applications, tokens of teams, certificates.
std::vector<StatusEntry> status_entries(const Inventory& inventory,
                                        const std::vector<sshgen::KeptCertificate>& certificates,
                                        std::chrono::sys_seconds now);

// Four aligned columns: what, identity, opens, ends in; fit to be shown.
std::string status_table(const std::vector<StatusEntry>& entries, std::chrono::sys_seconds now);

// A line for each application that `mayfly http` has an address for; "" if there is none.
std::string listener_lines(const std::vector<HttpPort>& listeners);

// What is stored in a state directory.
struct StatusReport {
  std::string directory;
  std::vector<StatusEntry> entries;
  std::vector<HttpPort> listeners;
};

// {"directory":...,"entries":[...],"listeners":[...]} as mayfly-status(1) describes it.
std::string status_json(const StatusReport& report, std::chrono::sys_seconds now);

}  // namespace mayfly::cli
