#include "cli/command.hpp"

#include <algorithm>

namespace mayfly::cli {

std::span<const Command> all_commands() {
  static const Command commands[] = {
      {"login", "log in to an application and store its token", run_login},
      {"token", "print the stored token", run_token},
      {"curl", "run curl with the token", run_curl},
      {"ssh",
       "tunnel on stdin and stdout, or a listener (also: tcp, rdp, smb)",
       run_tunnel,
       {"tcp", "rdp", "smb"}},
      {"socks", "SOCKS5 proxy to what is behind a bastion application", run_socks},
      {"http", "the application at a local address, with its token added", run_http},
      {"ssh-config", "print the ssh_config block for a host", run_ssh_config},
      {"ssh-gen", "make sure a valid short-lived certificate is there", run_ssh_gen},
      {"status", "show tokens and certificates, and when they end", run_status},
      {"logout", "forget what is stored for an application, or for all", run_logout},
      {"doctor", "say which step to an application fails, and why", run_doctor},
      {"completion", "print a completion script for bash, zsh or fish", run_completion},
  };
  return commands;
}

const Command* find_command(std::string_view name) {
  for (const Command& command : all_commands()) {
    if (command.name == name ||
        std::find(command.aliases.begin(), command.aliases.end(), name) != command.aliases.end()) {
      return &command;
    }
  }
  return nullptr;
}

}  // namespace mayfly::cli
