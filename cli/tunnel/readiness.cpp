#include "cli/tunnel/readiness.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "access/system/descriptor.hpp"
#include "cli/environment.hpp"

namespace mayfly::cli {

namespace {

// Nothing when there is no manager.
Descriptor connected_to_manager() {
  const std::string path = variable("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path.size() < 2 || path.size() >= sizeof address.sun_path) return {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path.front() == '@') address.sun_path[0] = '\0';  // the abstract name space
  Descriptor socket = open_socket({.family = AF_UNIX, .type = SOCK_DGRAM});
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
    return {};
  return socket;
}

}  // namespace

void notify_service_manager(std::string_view state) {
  static Descriptor manager;  // kept: a confined listener could not connect again
  if (!manager) manager = connected_to_manager();
  if (manager) ::send(manager.get(), state.data(), state.size(), MSG_NOSIGNAL);
}

}  // namespace mayfly::cli
