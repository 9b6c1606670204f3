#include "sshconfig/control_path.hpp"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/platform.hpp"

namespace mayfly::sshconfig {
namespace {

constexpr std::size_t hash_size = 40;  // SHA-1 in hexadecimal digits
// A dot and 16 letters, for a name that ssh renames when it listens (mux.c, muxserver_listen).
constexpr std::size_t suffix_while_binding = 17;
constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1 - suffix_while_binding;

}  // namespace

std::string control_path_in(std::string_view directory) {
  return std::string(directory) + "/%C";
}

bool fits_socket(std::string_view control_path) {
  const bool has_hash = control_path.find("%C") != std::string_view::npos;
  return control_path.size() + (has_hash ? hash_size - 2 : 0) <= longest;
}

std::string first_that_fits(const std::vector<std::string>& directories) {
  for (const std::string& directory : directories)
    if (!directory.empty() && fits_socket(control_path_in(directory))) return directory;
  throw Error(ErrorKind::failed,
              fmt::format("no directory for ssh's control sockets: {} is too long a name",
                          printable(directories.front(), 4096)),
              "set MAYFLY_HOME to a directory with a shorter name, here and where ssh runs");
}

bool has_master(const std::string& socket_path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.empty() || socket_path.size() >= sizeof address.sun_path) return false;
  socket_path.copy(address.sun_path, socket_path.size());
  const Descriptor socket = open_socket({.family = AF_UNIX, .blocking = Blocking::no});
  if (!socket ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return false;
  return peer_user(socket.get()) == ::geteuid();
}

}  // namespace mayfly::sshconfig
