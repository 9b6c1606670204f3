// The results of the checks of ssh: its configuration, the short-lived certificate, the agent.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "access/core/url.hpp"
#include "cli/doctor/check.hpp"
#include "sshconfig/ssh_query.hpp"
#include "sshgen/on_disk.hpp"

namespace mayfly::cli::doctor {

// The application, and the name and directories by which ssh reaches it.
struct SshTarget {
  Url url;
  std::string typed;  // the name typed after ssh
  std::string home;   // the "~" of ssh
  std::string state_directory;
};

// The meaning of ssh's settings.
struct SshRoute {
  std::string program = {};  // of the ProxyCommand; "" without one
  std::optional<std::string> leads_to =
      {};  // the application that --hostname names, with tokens expanded
  enum class Certificate { none, disk, agent, own_key } certificate = Certificate::none;
  std::string public_key = {};                        // that ssh-gen certifies, with own_key
  bool renews = false;                                // a Match exec runs ssh-gen
  bool reads_certificate = false, reads_key = false;  // at the target where ssh-gen keeps them
  std::string other_certificate = {};  // a certificate like ssh-gen's in another directory
};
SshRoute ssh_route(const SshTarget& target, const sshconfig::SshAnswer& answer);

// Describes the socket by which ssh shares a connection (ControlPath).
struct ControlFacts {
  std::string path = {};  // "" if it shares none
  enum class Directory {
    missing,
    made_by_tunnel,
    open_to_others,
    private_to_user
  } directory = Directory::missing;
  bool fits = true;         // its name is short enough for a socket
  bool is_running = false;  // a master listens there
};

// unknown: the name depends on a shell, or there is none.
enum class ProgramState { unknown, there, missing };
enum class Origin { unknown, ssh_server, other };
struct SshConfigFacts {
  const sshconfig::SshAnswer& answer;
  const SshRoute& route;
  ProgramState program = ProgramState::unknown;
  Origin origin = Origin::unknown;
  ControlFacts control = {};
};
CheckResult judge_ssh_config(const SshTarget& target, const SshConfigFacts& facts);

CheckResult judge_ssh_certificate(const Url& url, const SshRoute& route,
                                  const sshgen::OnDisk& on_disk, std::chrono::sys_seconds now);

struct AgentFacts {
  bool is_named = false;            // SSH_AUTH_SOCK is set
  std::optional<Error> error = {};  // it does not answer
  std::size_t keys = 0;
  std::optional<sshgen::Certificate> ours = {};  // for this application
};
CheckResult judge_agent(const SshRoute& route, const AgentFacts& facts,
                        std::chrono::sys_seconds now);

}  // namespace mayfly::cli::doctor
