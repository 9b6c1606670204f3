// How ssh goes to the application: its configuration, the short-lived certificate, the agent.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "access/core/url.hpp"
#include "cli/doctor/finding.hpp"
#include "sshconfig/ssh_query.hpp"
#include "sshgen/on_disk.hpp"

namespace mayfly::cli::doctor {

// Where things are, and what the name is.
struct SshPlaces {
  Url url;
  std::string typed;  // the name typed after ssh
  std::string home;   // what ssh takes for "~"
  std::string state_directory;
};

// What ssh's settings come to.
struct SshWay {
  std::string program = {};  // of the ProxyCommand; "" when there is none
  std::optional<std::string> leads_to =
      {};  // the application its --hostname names, tokens expanded
  enum class Certificate { none, disk, agent } certificate = Certificate::none;
  bool renews = false;                                // a Match exec runs ssh-gen
  bool reads_certificate = false, reads_key = false;  // at the places where ssh-gen keeps them
  std::string other_certificate = {};                 // a certificate like ours at another place
};
SshWay ssh_way(const SshPlaces& places, const sshconfig::SshAnswer& answer);

// Of a program that cannot be told before a shell has read it, or that nobody names: unknown.
enum class ProgramState { unknown, there, missing };
enum class Origin { unknown, ssh_server, other };
struct SshConfigFacts {
  const sshconfig::SshAnswer& answer;
  const SshWay& way;
  ProgramState program = ProgramState::unknown;
  Origin origin = Origin::unknown;
};
Finding judge_ssh_config(const SshPlaces& places, const SshConfigFacts& facts);

Finding judge_ssh_certificate(const Url& url, const SshWay& way, const sshgen::OnDisk& on_disk,
                              std::chrono::sys_seconds now);

struct AgentFacts {
  bool is_named = false;            // by SSH_AUTH_SOCK
  std::optional<Error> error = {};  // it cannot be spoken to
  std::size_t keys = 0;
  std::optional<sshgen::Certificate> ours = {};  // for this application
};
Finding judge_agent(const SshWay& way, const AgentFacts& facts, std::chrono::sys_seconds now);

}  // namespace mayfly::cli::doctor
