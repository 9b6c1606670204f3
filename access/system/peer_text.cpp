#include "access/system/peer_text.hpp"

#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "access/core/host_port.hpp"
#include "access/system/platform.hpp"

namespace mayfly {
namespace {

std::string process_text(int socket) {
  const long process = peer_process(socket);
  return process > 0 ? fmt::format("process {}", process) : "";
}

}  // namespace

std::string peer_text(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return host_port(address_text(AF_INET, &v4.sin_addr), ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    return host_port(address_text(AF_INET6, &v6.sin6_addr), ntohs(v6.sin6_port));
  }
  return address.ss_family == AF_UNIX ? process_text(socket) : "";
}

}  // namespace mayfly
