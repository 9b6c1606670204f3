#include "sshconfig/render.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "access/core/error.hpp"
#include "access/core/state_names.hpp"
#include "access/core/text.hpp"
#include "access/core/url.hpp"
#include "access/system/files.hpp"
#include "sshconfig/control_path.hpp"
#include "sshconfig/quote.hpp"

namespace mayfly::sshconfig {
namespace {

// The names of an application in a block.
struct Target {
  std::vector<std::string> patterns;  // names that people type after "ssh"
  std::string argument;               // after --hostname, a shell word; perhaps --matching
  std::string key_file;               // before "-cf_key", with ssh's tokens
  std::optional<std::string> host_name;
};

[[noreturn]] void refuse_host(std::string_view host) {
  throw Error(ErrorKind::usage, fmt::format("{} is not a host name", printable(host)),
              "give a host name such as vm.example.com, vm.example.com/path or *.example.com");
}

// A wildcard needs a domain after the star, since "*" alone would send every ssh through Access.
bool is_wildcard(std::string_view host) {
  const auto star = host.rfind('*');
  if (star == std::string_view::npos) return false;
  std::string example(host);
  std::replace(example.begin(), example.end(), '*', 'a');
  return is_host_name(example) && host.find('.', star) != std::string_view::npos;
}

struct HostAndPath {
  std::string host;  // lower case, since ssh's Host compares case
  std::string path;  // "" or "/..."
};

// Applies parse_url() to the path, since the command in the block will do so.
HostAndPath split_wildcard(std::string_view text) {
  const auto slash = text.find('/');
  HostAndPath result{to_lower(text.substr(0, slash)), ""};
  if (slash != std::string_view::npos && slash + 1 < text.size()) result.path = text.substr(slash);
  if (parse_url("a" + result.path).path != result.path) refuse_host(text);
  return result;
}

HostAndPath split_host(std::string_view text) {
  const std::string_view host = text.substr(0, text.find('/'));
  if (is_wildcard(host)) return split_wildcard(text);
  if (host.find('*') != std::string_view::npos) refuse_host(text);
  const Url url = parse_url(text);
  // A path has to be typed in the spelling in which it is sent.
  if (!is_host_name(url.host) || text.find(url.path) == std::string_view::npos) refuse_host(text);
  if (url.port != 443 || !url.query.empty()) {
    throw Error(ErrorKind::usage,
                fmt::format("no ssh_config block can be for {}: {}", printable(text),
                            url.query.empty() ? "it names a port" : "it has a query"),
                "give a host name such as vm.example.com, or vm.example.com/path");
  }
  return {url.host, url.path == "/" ? "" : url.path};
}

// Only ssh knows the real name behind a wildcard, and before 9.6 it put the name into the shell's
// command line as it was typed (CVE-2023-51385). Therefore %h stands between single quotes, in
// which only a single quote has a meaning, and the pattern !*'*' excludes names that have one. ssh
// compares the end of what was typed, and mayfly reads a URL from its beginning:
// "a.example#.example.com" is for ssh a name behind *.example.com. Therefore --matching repeats the
// pattern for mayfly.
Target wildcard_target(const HostAndPath& parts) {
  const std::string file = parts.path.empty() ? "h" : without_tokens(file_name("h" + parts.path));
  return {{parts.host, "!*'*"},
          "'%h'" + (parts.path.empty() ? "" : shell_word(parts.path)) + " --matching '" +
              parts.host + "'" + (parts.path.empty() ? "" : shell_word(parts.path)),
          "%" + file,
          std::nullopt};
}

Target plain_target(const HostAndPath& parts) {
  if (is_wildcard(parts.host)) return wildcard_target(parts);
  if (parts.path.empty()) return {{parts.host}, "%h", "%h", std::nullopt};
  const std::string name = parts.host + parts.path;
  return {{parts.host}, shell_word(name), without_tokens(file_name(name)), std::nullopt};
}

// While ssh reads the Match line, %h is the alias. Therefore the block names the application
// literally.
Target aliased_target(const HostAndPath& parts, const std::string& alias) {
  if (is_wildcard(parts.host)) {
    throw Error(ErrorKind::usage,
                fmt::format("an alias stands for one host, and {} is a wildcard", parts.host),
                "give the host name that the alias is for");
  }
  if (!is_host_name(alias)) {
    throw Error(ErrorKind::usage, fmt::format("{} cannot be an alias", printable(alias)),
                "use letters, digits, \"-\", \"_\" and \".\"");
  }
  const std::string name = parts.host + parts.path;
  Target target{{alias}, shell_word(name), without_tokens(file_name(name)), std::nullopt};
  if (parts.path.empty()) {
    if (alias != parts.host) target.patterns.push_back(parts.host);
    // HostName makes known_hosts have one entry for both names. Applications on paths of one host
    // are different machines, which known_hosts keeps under their aliases.
    target.host_name = parts.host;
  }
  return target;
}

Target target_of(const BlockOptions& options) {
  if (options.host.empty() && options.alias) {
    throw Error(ErrorKind::usage, "an alias needs the host that it stands for", "add --hostname");
  }
  if (options.host.empty()) return {{"[your hostname]"}, "%h", "%h", std::nullopt};
  const HostAndPath parts = split_host(options.host);
  return options.alias ? aliased_target(parts, *options.alias) : plain_target(parts);
}

bool is_user_name(std::string_view user) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@+\\";
  return !user.empty() && user.front() != '-' &&
         user.find_first_not_of(allowed) == std::string_view::npos;
}

std::string flag_words(const std::vector<std::string>& flags) {
  std::string words;
  for (const std::string& flag : flags) {
    const std::string name = flag.substr(0, flag.find('='));
    if (name == "--service-token-secret" || name == "--secret") {
      throw Error(ErrorKind::usage, "a service token's secret is not written into an ssh_config",
                  "put it into a file and give --service-token-secret-file");
    }
    words += " " + shell_word(flag);
  }
  return words;
}

// From OpenSSH 8.7 on, a single quote begins a quotation; within double quotes it is an ordinary
// character in every version.
std::string pattern_word(const std::string& patterns) {
  return patterns.find('\'') == std::string::npos ? patterns : '"' + patterns + '"';
}

std::string certificate_words(const BlockOptions& options) {
  std::string words;
  if (options.certificate == BlockOptions::Certificate::agent)
    words += options.confirms ? " --agent-confirm" : " --agent";
  if (options.certificate == BlockOptions::Certificate::own_key)
    words += " --public-key " + shell_word(options.own_key.public_key);
  if (!options.key_type.empty()) words += " --key-type " + shell_word(options.key_type);
  return words;
}

std::string key_path(const BlockOptions& options, const Target& target, std::string_view suffix) {
  const std::string directory =
      options.state_directory.empty() ? "~/.cloudflared" : without_tokens(options.state_directory);
  return config_word(fmt::format("{}/{}{}", directory, target.key_file, suffix));
}

std::string host_line(const Target& target) {
  std::string line = "Host";
  for (const std::string& pattern : target.patterns) line += " " + pattern_word(pattern);
  return line + "\n";
}

// Returns a flag with the control socket, whose name ssh-gen needs to find a running master.
std::string control_path_words(const BlockOptions& options) {
  if (!options.multiplexing) return "";
  return " --control-path " + control_path_in(shell_word(options.multiplexing->directory));
}

std::string match_line(const BlockOptions& options, const Target& target) {
  return fmt::format("Match {} {} exec \"{} access ssh-gen{}{} --hostname {}{}\"\n",
                     options.alias ? "originalhost" : "host",
                     pattern_word(fmt::format("{}", fmt::join(target.patterns, ","))),
                     shell_word(options.program), certificate_words(options),
                     control_path_words(options), target.argument,
                     flag_words(options.connection_flags));
}

std::string host_name_line(const Target& target) {
  return target.host_name ? fmt::format("  HostName {}\n", *target.host_name) : "";
}

// `first_flag` is "" or begins with a space.
std::string proxy_line(const BlockOptions& options, const Target& target,
                       std::string_view first_flag) {
  const std::string control =
      options.multiplexing ? " --control-directory " + shell_word(options.multiplexing->directory)
                           : "";
  return fmt::format("  ProxyCommand {} access ssh{}{} --hostname {}{}\n",
                     shell_word(options.program), first_flag, control, target.argument,
                     flag_words(options.connection_flags));
}

std::string control_lines(const BlockOptions& options) {
  if (!options.multiplexing) return "";
  const auto& [persist, directory] = *options.multiplexing;
  return fmt::format("  ControlMaster auto\n  ControlPath {}\n  ControlPersist {}\n",
                     config_word(control_path_in(without_tokens(directory))), persist);
}

// AddKeysToAgent would leave a key in the agent for each certificate, until other servers refuse to
// try so many.
std::string identity_lines(const BlockOptions& options, const Target& target) {
  using Certificate = BlockOptions::Certificate;
  if (options.certificate == Certificate::none) return "";
  if (options.certificate == Certificate::agent)
    return fmt::format("  IdentityFile {}\n  IdentityAgent SSH_AUTH_SOCK\n  AddKeysToAgent no\n",
                       key_path(options, target, suffix_of(StateFile::agent_certificate)));
  if (options.certificate == Certificate::own_key)
    return fmt::format("  IdentityFile {}\n  CertificateFile {}\n  AddKeysToAgent no\n",
                       config_word(without_tokens(options.own_key.identity_file)),
                       key_path(options, target, suffix_of(StateFile::own_certificate)));
  return fmt::format("  IdentityFile {}\n  CertificateFile {}\n  AddKeysToAgent no\n",
                     key_path(options, target, suffix_of(StateFile::private_key)),
                     key_path(options, target, suffix_of(StateFile::certificate)));
}

// Returns the lines that concern the server: its key, and the user there.
std::string server_lines(const BlockOptions& options) {
  std::string lines;
  if (options.host_keys)
    lines = host_key_lines(options.host, options.host_keys->known_hosts, options.host_keys->trust);
  if (!options.user) return lines;
  if (!is_user_name(*options.user))
    throw Error(ErrorKind::usage, fmt::format("{} is not a user name", printable(*options.user)));
  return lines + fmt::format("  User {}\n", config_word(*options.user));
}

std::string fallback_block(const BlockOptions& options, const Target& target) {
  const auto& flags = options.connection_flags;
  const bool is_batch = std::find(flags.begin(), flags.end(), "--batch") != flags.end();
  return "\n# Without a certificate ssh stays in the tunnel.\n" + host_line(target) +
         host_name_line(target) + proxy_line(options, target, is_batch ? "" : " --batch") +
         server_lines(options);
}

// Returns the part before a Match that sets the user and the host name: ssh computes "%C" from
// them, and must know them when it runs the Match exec.
std::string control_block(const BlockOptions& options, const Target& target) {
  return host_line(target) + host_name_line(target) + control_lines(options) +
         server_lines(options);
}

}  // namespace

std::string block_host(std::string_view hostname) {
  if (hostname.empty()) return "";
  const HostAndPath parts = split_host(hostname);
  return parts.host + parts.path;
}

std::string render_block(const BlockOptions& options) {
  const Target target = target_of(options);
  const bool matches = options.certificate != BlockOptions::Certificate::none;
  const bool is_divided = matches && options.multiplexing;
  std::string block = is_divided ? control_block(options, target) : "";
  block += matches ? match_line(options, target) : host_line(target);
  block += host_name_line(target) + proxy_line(options, target, "");
  if (!is_divided) block += control_lines(options);
  block += identity_lines(options, target) + server_lines(options);
  if (matches && options.fallback == BlockOptions::Fallback::tunnel)
    block += fallback_block(options, target);
  return block;
}

std::vector<std::string> block_settings(BlockOptions options) {
  options.alias = options.host.substr(0, options.host.find('/'));
  const Target target = target_of(options);
  const std::string lines = host_name_line(target) + proxy_line(options, target, "") +
                            control_lines(options) + identity_lines(options, target) +
                            server_lines(options);
  std::vector<std::string> settings;
  for (const std::string_view line : split(lines, '\n'))
    if (!line.empty()) settings.emplace_back(trim(line));
  return settings;
}

std::string render_advice(const BlockOptions& options, std::string_view home) {
  std::string advice = fmt::format("\nAdd to your {}/.ssh/config:\n\n", printable(home, 4096));
  advice += render_block(options);
  // cloudflared prints a blank line at the end of the short form only.
  if (options.certificate == BlockOptions::Certificate::none) advice += "\n";
  return advice;
}

}  // namespace mayfly::sshconfig
