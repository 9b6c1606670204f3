#include "access/system/peer_text.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

namespace mayfly {
namespace {

template <typename Address>
std::string number_text(int family, const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family, &address, text.data(), text.size()) != nullptr ? text.data() : "";
}

std::string process_text(int socket) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.pid > 0)
    return fmt::format("process {}", who.pid);
  return {};
}

}  // namespace

std::string peer_text(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return fmt::format("{}:{}", number_text(AF_INET, v4.sin_addr), ntohs(v4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    return fmt::format("[{}]:{}", number_text(AF_INET6, v6.sin6_addr), ntohs(v6.sin6_port));
  }
  return address.ss_family == AF_UNIX ? process_text(socket) : "";
}

}  // namespace mayfly
