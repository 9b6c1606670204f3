// Installs blocks in a file of our own, which one Include line in ~/.ssh/config names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sshconfig/changes.hpp"
#include "sshconfig/edit.hpp"

namespace mayfly::sshconfig {

struct InstallPaths {
  std::string ssh_directory;               // ~/.ssh, absolute; created with mode 0700 if absent
  std::string own_file = "mayfly_config";  // in it
  std::string known_hosts = "mayfly_known_hosts";  // in it; ssh writes keys of hosts there
  // In it; a file of its own, since a key in known_hosts counts without a certificate as well.
  std::string host_authorities = "mayfly_host_authorities";
};

// Returns the changes that add the block; an empty list if nothing has to change. Follows a
// symbolic link if it leads to a file of the user. Both plans throw Error(failed) with a hint if a
// file cannot be edited. In the order of both plans, Include never names an absent file.
// `host_authorities` are the keys of CAs for the host's keys, "type base64 comment" each.
std::vector<Change> plan_install(const InstallPaths& paths, std::string_view host,
                                 std::string_view block,
                                 const std::vector<std::string>& host_authorities = {});
// Returns the changes that remove the block for `host` with its CAs, or every block for "". With
// the last block they remove our own file, the Include line, and ~/.ssh/config if we had created it
// and nothing else is in it.
std::vector<Change> plan_removal(const InstallPaths& paths, std::string_view host);

// Removes temporary files that killed commands left beside the two files.
void clear_leftovers(const InstallPaths& paths) noexcept;

}  // namespace mayfly::sshconfig
