#include "access/listen/listening_socket.hpp"

#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/loopback_name.hpp"
#include "access/core/release.hpp"
#include "access/core/text.hpp"
#include "access/system/owners_umask.hpp"

namespace mayfly {
namespace {

std::string text_of(const ListenAddress& address) {
  if (address.family == ListenAddress::Family::unix_socket)
    return "unix:" + printable(address.path);
  return host_port(address.host.empty() ? "localhost" : printable(address.host), address.port);
}

Error cannot_listen(const ListenAddress& address, int number) {
  const auto error = [&](std::string_view why, std::string hint) {
    return Error(ErrorKind::failed, fmt::format("cannot listen on {}: {}", text_of(address), why),
                 std::move(hint));
  };
  switch (number) {
    case EADDRINUSE:
      return error(
          "it is in use",
          "another program listens there (ss -ltnp shows which); choose another address with "
          "--url, whose port 0 is any free one");
    case EACCES:
    case EPERM:
      if (address.family == ListenAddress::Family::tcp && address.port < 1024)
        return error("ports below 1024 are for root", "choose a port from 1024 up");
      return error(std::strerror(number), "check who may write there");
    case EADDRNOTAVAIL:
      return error("that is no address of this computer",
                   "listen on localhost, or on an address that `ip address` shows");
    default:
      return error(std::strerror(number), "");
  }
}

struct SocketAddress {
  sockaddr_storage room{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&room); }
  void set_port(std::uint16_t port) {
    if (room.ss_family == AF_INET)
      reinterpret_cast<sockaddr_in&>(room).sin_port = htons(port);
    else
      reinterpret_cast<sockaddr_in6&>(room).sin6_port = htons(port);
  }
};

// Appends the addresses of the name. Returns 0, or EAI_... of getaddrinfo.
int append(std::vector<SocketAddress>& found, const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int code = getaddrinfo(host.c_str(), nullptr, &hints, &list); code != 0) return code;
  const std::unique_ptr<addrinfo, Release<freeaddrinfo>> owner(list);
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    SocketAddress address;
    if (one->ai_addrlen > sizeof address.room) continue;
    std::memcpy(&address.room, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
    found.push_back(address);
  }
  return 0;
}

// A loopback name needs no name service, which a bare computer may not have.
std::vector<SocketAddress> addresses_of(const ListenAddress& address) {
  std::vector<SocketAddress> found;
  int code = 0;
  if (address.host.empty() || is_loopback_name(address.host)) {
    append(found, "127.0.0.1");
    append(found, "::1");
  } else {
    code = append(found, address.host);
  }
  if (!found.empty()) return found;
  throw Error(ErrorKind::failed,
              fmt::format("cannot listen on {}: {}", text_of(address), gai_strerror(code)),
              "name an address of this computer, such as 127.0.0.1");
}

std::uint16_t port_of(int socket) {
  sockaddr_storage room{};
  socklen_t size = sizeof room;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&room), &size) != 0) return 0;
  return ntohs(room.ss_family == AF_INET ? reinterpret_cast<sockaddr_in*>(&room)->sin_port
                                         : reinterpret_cast<sockaddr_in6*>(&room)->sin6_port);
}

// Makes a socket that listens. Returns 0, or errno.
int listen_on(Descriptor& socket, const SocketAddress& address) {
  socket = open_socket({.family = address.room.ss_family, .blocking = Blocking::no});
  if (!socket) return errno;
  const int on = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.room.ss_family == AF_INET6)
    setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(socket.get(), address.get(), address.size) != 0) return errno;
  return listen(socket.get(), SOMAXCONN) == 0 ? 0 : errno;
}

sockaddr_un unix_address(const ListenAddress& address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.path.size() >= sizeof name.sun_path)
    throw Error(ErrorKind::usage,
                fmt::format("cannot listen on {}: the path is longer than {} bytes",
                            text_of(address), sizeof name.sun_path - 1),
                "choose a shorter one");
  std::memcpy(name.sun_path, address.path.data(), address.path.size());
  return name;
}

// Removes a socket file that refuses connections, since its process is gone.
void remove_stale(const ListenAddress& address, const sockaddr_un& name) {
  struct stat status {};
  if (lstat(name.sun_path, &status) != 0) return;
  if (!S_ISSOCK(status.st_mode))
    throw Error(
        ErrorKind::failed,
        fmt::format("cannot listen on {}: a file that is no socket is there", text_of(address)),
        "remove it, or choose another path");
  const Descriptor probe = open_socket({.family = AF_UNIX, .blocking = Blocking::no});
  if (!probe) throw cannot_listen(address, errno);
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 ||
      errno != ECONNREFUSED)
    throw cannot_listen(address, EADDRINUSE);
  unlink(name.sun_path);
}

}  // namespace

ListeningSocket::ListeningSocket(Descriptor socket, ListenAddress address)
    : socket_(std::move(socket)), address_(std::move(address)) {}

ListeningSocket::~ListeningSocket() {
  if (!socket_ || inode_ == 0) return;
  struct stat status {};
  if (lstat(address_.path.c_str(), &status) == 0 && status.st_dev == device_ &&
      status.st_ino == inode_)
    unlink(address_.path.c_str());
}

std::vector<ListeningSocket> ListeningSocket::open(const ListenAddress& address) {
  std::vector<ListeningSocket> opened;
  if (address.inherited >= 0) {
    opened.push_back(ListeningSocket(Descriptor(address.inherited), address));
    return opened;
  }
  if (address.family == ListenAddress::Family::tcp) return open_tcp(address);
  opened.push_back(open_unix(address));
  return opened;
}

ListeningSocket ListeningSocket::open_unix(const ListenAddress& address) {
  const sockaddr_un name = unix_address(address);
  remove_stale(address, name);
  Descriptor socket = open_socket({.family = AF_UNIX, .blocking = Blocking::no});
  if (!socket) throw cannot_listen(address, errno);
  {
    // The mode of a socket file is what the umask leaves of 0777. Before listen() nobody can
    // connect, so there is no moment in which others could.
    const OwnersUmask umask(0177);
    if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
      throw cannot_listen(address, errno);
  }
  ListeningSocket made(std::move(socket), address);
  struct stat status {};
  if (lstat(name.sun_path, &status) == 0) {
    made.device_ = status.st_dev;
    made.inode_ = status.st_ino;
  }
  if (listen(made.descriptor(), SOMAXCONN) != 0) throw cannot_listen(address, errno);
  return made;
}

std::vector<ListeningSocket> ListeningSocket::open_tcp(const ListenAddress& address) {
  constexpr int attempts = 20;  // a port that is free at one address may be taken at another
  std::vector<SocketAddress> addresses = addresses_of(address);
  int number = 0;
  for (int i = 0; i < attempts; ++i) {
    std::vector<ListeningSocket> opened;
    ListenAddress taken = address;
    for (SocketAddress& next : addresses) {
      next.set_port(taken.port);
      Descriptor socket;
      number = listen_on(socket, next);
      // A computer without IPv6 has no IPv6 address for "localhost".
      if (number == EADDRNOTAVAIL || number == EAFNOSUPPORT) continue;
      if (number != 0) break;
      taken.port = port_of(socket.get());
      opened.push_back(ListeningSocket(std::move(socket), taken));
    }
    const bool is_whole = number == 0 || number == EADDRNOTAVAIL || number == EAFNOSUPPORT;
    if (is_whole && !opened.empty()) return opened;
    if (address.port != 0 || number != EADDRINUSE) break;
  }
  throw cannot_listen(address, number);
}

}  // namespace mayfly
