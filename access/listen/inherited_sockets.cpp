#include "access/listen/inherited_sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "access/core/error.hpp"

namespace mayfly {
namespace {

constexpr int first_descriptor = 3;  // SD_LISTEN_FDS_START
constexpr int most = 1024;

// Returns 0 for a variable that is no number.
long number_in(const char* name) {
  const char* const value = std::getenv(name);
  const std::string_view text = value == nullptr ? "" : value;
  long number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? number : 0;
}

int option_of(int socket, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

ListenAddress internet_address(int family, const void* bytes, std::uint16_t port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, bytes, text.data(), text.size());
  return {.host = text.data(), .port = ntohs(port), .path = {}};
}

ListenAddress address_of(int socket) {
  sockaddr_storage room{};
  socklen_t size = sizeof room;
  const bool listens = option_of(socket, SO_ACCEPTCONN) == 1 &&
                       option_of(socket, SO_TYPE) == SOCK_STREAM &&
                       ::getsockname(socket, reinterpret_cast<sockaddr*>(&room), &size) == 0;
  if (listens && room.ss_family == AF_INET) {
    const auto& name = reinterpret_cast<const sockaddr_in&>(room);
    return internet_address(AF_INET, &name.sin_addr, name.sin_port);
  }
  if (listens && room.ss_family == AF_INET6) {
    const auto& name = reinterpret_cast<const sockaddr_in6&>(room);
    return internet_address(AF_INET6, &name.sin6_addr, name.sin6_port);
  }
  if (listens && room.ss_family == AF_UNIX) {
    const auto& name = reinterpret_cast<const sockaddr_un&>(room);
    std::string path(name.sun_path, size - offsetof(sockaddr_un, sun_path));
    if (!path.empty() && path.front() == '\0')
      path.front() = '@';  // the abstract name space, as systemd writes it
    else
      path.resize(std::strlen(path.c_str()));
    return {.family = ListenAddress::Family::unix_socket, .host = {}, .path = std::move(path)};
  }
  throw Error(
      ErrorKind::usage,
      fmt::format("descriptor {}, which the service manager passed, does not listen", socket),
      "in the socket unit, write ListenStream= and leave Accept=no");
}

}  // namespace

std::vector<ListenAddress> inherited_sockets() {
  const long count = number_in("LISTEN_PID") == ::getpid() ? number_in("LISTEN_FDS") : 0;
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  std::vector<ListenAddress> addresses;
  for (int socket = first_descriptor; socket < first_descriptor + count && socket < most;
       ++socket) {
    addresses.push_back(address_of(socket));
    addresses.back().inherited = socket;
    ::fcntl(socket, F_SETFD, FD_CLOEXEC);
    ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
  }
  return addresses;
}

}  // namespace mayfly
