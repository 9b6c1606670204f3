// The ssh_config block for an application (mayfly-ssh-config(1)).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::sshconfig {

struct BlockOptions {
  std::string program;  // absolute path of mayfly
  // "vm.example.com", "vm.example.com/path" or "*.example.com"; "" prints "[your hostname]".
  std::string host;
  enum class Certificate { none, short_lived, agent } certificate = Certificate::none;
  std::string key_type = {};    // for ssh-gen; "" leaves it the choice
  std::string state_directory;  // "" for ~/.cloudflared, else absolute (MAYFLY_HOME)
  // Repeated in ssh-gen and ssh: "--cert", "/etc/x.pem", ... File names in it are absolute already.
  std::vector<std::string> connection_flags;
  std::optional<std::string> user;
  // A second, short name for the host; for host/path the only name, since the host alone may be
  // another application.
  std::optional<std::string> alias;
};

// "https://VM.example.com/" and the other forms in which the commands take an application, as a
// block names it: "vm.example.com", with its path if it has one; "" stays "". Throws usage Error
// for what no block can be for.
std::string block_host(std::string_view hostname);

// The block, each line ending in a newline, without blank lines around it. Values are quoted where
// ssh's parser or the shell behind exec and ProxyCommand need it. Throws usage Error for a host,
// user or alias that cannot stand there, and for a secret among the flags.
std::string render_block(const BlockOptions& options);

// As cloudflared prints it: blank line, "Add to your <home>/.ssh/config:", blank line, block.
std::string render_advice(const BlockOptions& options, std::string_view home);

}  // namespace mayfly::sshconfig
