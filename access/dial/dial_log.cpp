#include "access/dial/dial_log.hpp"

#include <fmt/core.h>

#include "access/core/log.hpp"
#include "access/system/peer_text.hpp"

namespace mayfly {
namespace {

bool is_heard() {
  return is_logged(LogLevel::debug);
}

}  // namespace

std::string DialLog::took() {
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::duration<double, std::milli> since = now - since_;
  since_ = now;
  return fmt::format("{:.1f} ms", since.count());
}

void DialLog::looked_up(const std::string& host,
                        const std::vector<asio::ip::tcp::endpoint>& found) {
  if (!is_heard()) return;
  std::string addresses;
  for (const auto& endpoint : found)
    addresses += (addresses.empty() ? "" : " ") + endpoint.address().to_string();
  log(LogLevel::debug, "name looked up",
      {{"host", host}, {"addresses", addresses}, {"took", took()}});
}

void DialLog::connected(int socket, Way way) {
  if (!is_heard()) return;
  log(LogLevel::debug, way == Way::proxy ? "connected by a proxy" : "connected",
      {{"address", peer_text(socket)}, {"took", took()}});
}

void DialLog::secured(const TlsStream& stream) {
  if (!is_heard()) return;
  const TlsStream::Facts facts = stream.facts();
  log(LogLevel::debug, "TLS established",
      {{"version", facts.version},
       {"cipher", facts.cipher},
       {"session", facts.session == TlsStream::Facts::Session::resumed ? "resumed" : "new"},
       {"took", took()}});
}

void DialLog::answered(const Response& response) {
  if (!is_heard()) return;
  log(LogLevel::debug, response.status == 101 ? "tunnel opened" : "no tunnel",
      {{"answer", response.reference()}, {"took", took()}});
}

}  // namespace mayfly
