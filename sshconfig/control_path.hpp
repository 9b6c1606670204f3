// Where the sockets of ssh's multiplexing lie (ssh_config(5), ControlPath).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mayfly::sshconfig {

// Returns the directory's ControlPath, in which ssh puts a hash of the connection for "%C".
std::string control_path_in(std::string_view directory);

// Returns whether a path in the ssh_config's form names no socket that is too long: the limit of a
// Unix socket (104 or 108 bytes) less what ssh appends while it binds. "%C" counts as the hash.
bool fits_socket(std::string_view control_path);

// Returns the first directory whose ControlPath fits a socket. Throws Error(failed) if there is
// none. Empty texts are passed over.
std::string first_that_fits(const std::vector<std::string>& directories);

// Returns whether a process of this user listens at the socket: an ssh whose connection can be
// shared. Does not wait.
bool has_master(const std::string& socket_path);

}  // namespace mayfly::sshconfig
