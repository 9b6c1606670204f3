#include "cli/tunnel/listening.hpp"

#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/log.hpp"
#include "cli/tunnel/ending_line.hpp"
#include "cli/tunnel/readiness.hpp"

namespace mayfly::cli {
namespace {

std::string authority(const ListenAddress& address) {
  if (address.family == ListenAddress::Family::unix_socket) return "unix:" + address.path;
  return host_port(address.host.empty() ? "127.0.0.1" : address.host, address.port);
}

// The name "127.example.com" is none.
bool is_loopback_ipv4(const std::string& host) {
  return host.starts_with("127.") && is_ipv4(host);
}

bool is_loopback(const ListenAddress& address) {
  return address.family == ListenAddress::Family::unix_socket || address.host == "localhost" ||
         address.host.empty() || address.host == "::1" || is_loopback_ipv4(address.host);
}

// Whoever connects passes with this person's identity.
void warn_when_open_to_others(const ListenAddress& address) {
  if (is_loopback(address)) return;
  log(LogLevel::warn, "other machines can use this listener with your identity",
      {{"host", authority(address)}, {"hint", "listen on 127.0.0.1 or a unix: path"}});
}

}  // namespace

void listen_at(const std::vector<std::string>& places, std::string_view announcement,
               ListenOptions& options) {
  for (const std::string& place : places) options.addresses.push_back(ListenAddress::parse(place));
  options.ready = [announcement = std::string(announcement),
                   left = options.addresses.size()](const ListenAddress& address) mutable {
    log(LogLevel::info, announcement, {{"host", authority(address)}});
    warn_when_open_to_others(address);
    if (--left == 0) notify_service_manager("READY=1");
  };
  options.failed = [](const Error& error) {
    log(LogLevel::error, error.message(), {{"hint", error.hint()}});
  };
}

void log_bad_ending(const Ending& ending) {
  using How = Ending::How;
  if (ending.how == How::cut || ending.how == How::undelivered || ending.how == How::violation)
    log(LogLevel::warn, "a tunnel ended: " + ending_line(ending));
  else
    log_ending(ending);
}

}  // namespace mayfly::cli
