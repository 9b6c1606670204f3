// Writes the ssh_config block for an application (mayfly-ssh-config(1)).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sshconfig/host_keys.hpp"

namespace mayfly::sshconfig {

struct BlockOptions {
  std::string program;  // absolute path of mayfly
  // "vm.example.com", "vm.example.com/path" or "*.example.com"; "" prints "[your hostname]".
  std::string host;
  // own_key: for a key of the person's own, which public_key names.
  enum class Certificate { none, short_lived, agent, own_key } certificate = Certificate::none;
  bool confirms = false;        // ssh-gen --agent-confirm, with Certificate::agent
  std::string key_type = {};    // for ssh-gen --key-type; "" for none
  std::string state_directory;  // "" for ~/.cloudflared, else absolute (MAYFLY_HOME)
  // Flags for both ssh-gen and ssh: "--cert", "/etc/x.pem", ... File names in them are absolute.
  std::vector<std::string> connection_flags;
  std::optional<std::string> user;
  // A second, short name for the host. For host/path it is the only name, since the host alone may
  // be another application.
  std::optional<std::string> alias;
  // Where the keys of hosts are kept for this application alone, and what counts there.
  struct HostKeys {
    std::string known_hosts;  // a path as ssh reads it
    HostKeyTrust trust = HostKeyTrust::first;
  };
  std::optional<HostKeys> host_keys = {};
  // tunnel: a second block follows for the case that ssh-gen fails. It keeps ssh in the tunnel,
  // which says why, instead of letting it connect to port 22 of the public name.
  enum class Fallback { none, tunnel } fallback = Fallback::none;
  // One connection for every ssh to the host (ControlMaster auto).
  struct Multiplexing {
    std::string persist;    // of ControlPersist, as ssh reads it
    std::string directory;  // absolute; of the control sockets
  };
  std::optional<Multiplexing> multiplexing = {};
  struct OwnKey {
    std::string public_key;     // absolute path, for ssh-gen
    std::string identity_file;  // absolute path, for IdentityFile
  };
  OwnKey own_key = {};
};

// Returns the name that a block has for an application in any form that commands take:
// "vm.example.com" for "https://VM.example.com/", with a path if there is one, and "" for "".
// Throws Error(usage) for a name that a block cannot have.
std::string block_host(std::string_view hostname);

// Returns the block without blank lines around it; each line ends in a newline. Values are quoted
// for ssh's parser and for the shell that runs exec and ProxyCommand. Throws Error(usage) for a
// host, user or alias that a block cannot have, and for a secret among the flags.
std::string render_block(const BlockOptions& options);

// Returns the lines of the block for one host, "Keyword value", each for an option -o of ssh. They
// name the application and no token of ssh's, whatever HostName a configuration sets. Throws as
// render_block() does, and for a wildcard.
std::vector<std::string> block_settings(BlockOptions options);

// Returns what cloudflared prints: a blank line, "Add to your <home>/.ssh/config:", a blank line,
// the block.
std::string render_advice(const BlockOptions& options, std::string_view home);

}  // namespace mayfly::sshconfig
