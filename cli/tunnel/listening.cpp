#include "cli/tunnel/listening.hpp"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/log.hpp"
#include "access/core/loopback_name.hpp"
#include "access/system/descriptor.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/tunnel/reports.hpp"

namespace mayfly::cli {
namespace {

// "127.example.com" is a name and no address.
bool is_loopback_ipv4(const std::string& host) {
  return host.starts_with("127.") && is_ipv4(host);
}

bool is_loopback(const ListenAddress& address) {
  return address.family == ListenAddress::Family::unix_socket || is_loopback_name(address.host) ||
         address.host.empty() || address.host == "::1" || is_loopback_ipv4(address.host);
}

// Every connection uses the identity of the person who started the listener.
void warn_when_open_to_others(const ListenAddress& address) {
  if (is_loopback(address)) return;
  log(LogLevel::warn, "other machines can use this listener with your identity",
      {{"host", authority(address)}, {"hint", "listen on 127.0.0.1 or a unix: path"}});
}

// Returns an empty descriptor if there is no manager.
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

// Connected at the first call: a listener in its sandbox cannot connect.
const Descriptor& service_manager() {
  static Descriptor manager;
  if (!manager) manager = connected_to_manager();
  return manager;
}

}  // namespace

std::string authority(const ListenAddress& address) {
  if (address.family == ListenAddress::Family::unix_socket) return "unix:" + address.path;
  return host_port(address.host.empty() ? "127.0.0.1" : address.host, address.port);
}

void listen_at(const std::vector<std::string>& addresses, std::string_view announcement,
               ListenOptions& options) {
  for (const std::string& address : addresses)
    options.addresses.push_back(ListenAddress::parse(address));
  options.ready = [announcement = std::string(announcement),
                   left = options.addresses.size()](const ListenAddress& address) mutable {
    log(LogLevel::info, announcement, {{"host", authority(address)}});
    warn_when_open_to_others(address);
    if (--left == 0) service_manager();
  };
  options.tried = [](const std::optional<Error>& problem) {
    if (problem) log(LogLevel::warn, *problem);
    notify_service_manager("READY=1");
  };
  options.failed = [](const Error& error) { log(LogLevel::error, error); };
}

void log_bad_ending(const Ending& ending) {
  using How = Ending::How;
  if (ending.how == How::cut || ending.how == How::undelivered || ending.how == How::violation)
    log(LogLevel::warn,
        fmt::format("a tunnel {}ended: {}", ending.name.empty() ? "" : "to " + ending.name + " ",
                    ending_line(ending)));
  else
    log_ending(ending);
}

void notify_service_manager(std::string_view state) {
  const Descriptor& manager = service_manager();
  if (manager) ::send(manager.get(), state.data(), state.size(), MSG_NOSIGNAL);
}

}  // namespace mayfly::cli
