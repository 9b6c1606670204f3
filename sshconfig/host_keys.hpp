// Keys of hosts that are kept for each application, apart from ~/.ssh/known_hosts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mayfly::sshconfig {

// Returns the name under which ssh looks for the key of an application: its file stem, which is the
// host itself if there is no path, or the wildcard as a pattern.
std::string host_key_name(std::string_view host);

// Returns the lines of ssh_config for an application. HostKeyAlias makes the name independent of
// what was typed; a wildcard has none, and ssh looks for each of its hosts.
enum class HostKeyTrust {
  first,      // the key of the first connection is kept, and no other one is accepted later
  certified,  // only keys that a CA in the file has certified
};
// known_hosts: the path of the file, as ssh reads it.
std::string host_key_lines(std::string_view host, std::string_view known_hosts, HostKeyTrust trust);

// Returns the text of the file with the lines "@cert-authority" of an application (sshd(8),
// SSH_KNOWN_HOSTS FILE FORMAT) replaced by lines for these keys, "type base64 comment" each. All
// other lines stay.
std::string with_host_authorities(std::string_view authorities, std::string_view host,
                                  const std::vector<std::string>& keys);

}  // namespace mayfly::sshconfig
