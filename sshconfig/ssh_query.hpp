// Asks ssh how it reads its configuration for a host.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mayfly::sshconfig {

// The settings of ssh -G that concern Access, as ssh prints them: it does not expand tokens and
// "~".
struct SshSettings {
  std::string host_name, user;
  std::string proxy_command, proxy_jump;  // "" for none
  std::vector<std::string> identity_files, certificate_files;
  std::string control_path = {};  // with its tokens expanded; "" if no connection is shared
};
SshSettings parse_settings(std::string_view text);

struct SshQuery {
  std::string host;  // the name that a person types after ssh
  // match_exec_variables()
  std::vector<std::pair<std::string, std::string>> variables;
  std::chrono::milliseconds patience = std::chrono::seconds(10);
};

struct SshAnswer {
  std::string version;                  // "OpenSSH_9.2p1"; "" when there is no ssh
  std::optional<SshSettings> settings;  // nothing: see complaint
  std::string complaint;                // what ssh said against its configuration; printable
  std::vector<std::string> ssh_gens;    // the ssh-gen commands that Match exec would have run
};

// Runs ssh -V and ssh -G. No Match exec starts a login. Throws Error(failed) at a signal.
SshAnswer ask_ssh(const SshQuery& query);

}  // namespace mayfly::sshconfig
