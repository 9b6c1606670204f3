// What a local program sends to the SOCKS port.
#include <algorithm>
#include <string>

#include "access/listen/socks.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

constexpr std::size_t longest_answer = 200;

// "host:port" that is safe in a header and in a log, and names somebody.
void check_destination(const std::string& destination) {
  const std::size_t colon = destination.rfind(':');
  require(colon != std::string::npos && colon > 0, "a destination has host and port");
  const std::string host = destination.substr(0, colon), port = destination.substr(colon + 1);
  require(!port.empty() && port.size() <= 5 && port.front() != '0' &&
              port.find_first_not_of("0123456789") == std::string::npos && std::stoi(port) <= 65535,
          "a port is a number from 1 to 65535");
  const bool is_ipv6 = host.starts_with('[') && host.ends_with(']');
  const std::string bare = is_ipv6 ? host.substr(1, host.size() - 2) : host;
  require(!bare.empty() && bare.size() <= 255, "a host is bounded");
  require(std::ranges::all_of(bare,
                              [&](char c) {
                                const bool word = (c >= 'a' && c <= 'z') ||
                                                  (c >= 'A' && c <= 'Z') ||
                                                  (c >= '0' && c <= '9') || c == '.';
                                return word || (is_ipv6 ? c == ':' : c == '-' || c == '_');
                              }),
          "a host holds nothing but a name's or an address's characters");
}

const Harness harness("socks", [](std::string_view input) {
  socks::Handshake handshake;
  while (handshake.wanted() > 0) {
    require(handshake.wanted() <= socks::Handshake::most_wanted, "no piece is too large");
    require(handshake.destination().empty() && handshake.problem().empty(), "nothing is early");
    if (input.size() < handshake.wanted()) return;
    const auto piece = input.substr(0, handshake.wanted());
    input.remove_prefix(piece.size());
    require(handshake.take(as_bytes(piece)).size() <= longest_answer, "answers are small");
  }
  require(handshake.destination().empty() != handshake.problem().empty(),
          "it ends with a destination or a problem");
  require(is_fit_to_show(handshake.problem(), 1000), "a problem is fit to be shown");
  if (!handshake.destination().empty()) check_destination(handshake.destination());
});

}  // namespace
}  // namespace mayfly::fuzz
