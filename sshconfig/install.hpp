// Installing blocks: a file of our own, and one Include line in ~/.ssh/config.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mayfly::sshconfig {

// Pure part, on texts. The own file holds blocks between marker lines, one for each host.
std::string with_block(std::string_view own_file, std::string_view host, std::string_view block);
std::string without_block(std::string_view own_file, std::string_view host);
// ~/.ssh/config with our Include as its first line (before any Host or Match); everything else byte for byte as it was.
std::string with_include(std::string_view config, std::string_view own_file_path);
std::string without_include(std::string_view config, std::string_view own_file_path);

struct InstallPaths {
  std::string ssh_directory;  // ~/.ssh, made 0700 when missing
  std::string own_file = "mayfly_config";  // in it
};

struct Change {
  std::string path;
  std::string before, after;
};

// What would be written (for --dry-run), and doing it: atomic, mode kept, symbolic links followed to their target only when it is
// the user's own. Both return nothing to do as an empty list.
std::vector<Change> plan_install(const InstallPaths& paths, std::string_view host, std::string_view block);
std::vector<Change> plan_removal(const InstallPaths& paths, std::string_view host);
void carry_out(const std::vector<Change>& changes);

}  // namespace mayfly::sshconfig
