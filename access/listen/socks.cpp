#include "access/listen/socks.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <string_view>

#include "access/core/host_port.hpp"
#include "access/core/text.hpp"
#include "access/listen/local_protocol.hpp"

namespace mayfly::socks {
namespace {

constexpr std::uint8_t version_5 = 5;
constexpr std::uint8_t no_authentication = 0;
constexpr std::uint8_t no_method = 0xff;
constexpr std::uint8_t connect_command = 1;
enum AddressType : std::uint8_t { ipv4_type = 1, name_type = 3, ipv6_type = 4 };

constexpr std::string_view socks5h_hint =
    "set the program to SOCKS5 with names resolved by the proxy (curl --socks5-hostname, "
    "socks5h://, nc -X 5)";

std::uint8_t number(std::byte byte) {
  return std::to_integer<std::uint8_t>(byte);
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {std::bit_cast<const char*>(bytes.data()), bytes.size()};
}

std::string method_choice(std::uint8_t method) {
  return {static_cast<char>(version_5), static_cast<char>(method)};
}

// Returns the host of a request by name, or nullopt if it is neither a name nor an address. Some
// programs send addresses as names, IPv6 without brackets.
std::optional<std::string> host_of_name(std::string_view name) {
  in6_addr address{};
  if (inet_pton(AF_INET6, std::string(name).c_str(), &address) == 1)
    return address_text(AF_INET6, &address);
  // A dot at the end of a name means that it is complete; the origin's resolver understands it,
  // too.
  const std::string_view rest = name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
  if (!is_host_name(rest)) return std::nullopt;
  return std::string(name);
}

// A protocol other than SOCKS5, and the answer that its programs understand.
struct OtherProtocol {
  std::string name, answer;
};

OtherProtocol protocol_of(std::uint8_t first) {
  // 0x5b: refused. In SOCKS4 a reply begins with 0 instead of the version.
  if (first == 4) return {"SOCKS4", std::string("\0\x5b\0\0\0\0\0\0", 8)};
  if (first == 22) return {"TLS", ""};
  if (first >= 'A' && first <= 'Z')
    return {"HTTP",
            "HTTP/1.1 501 Not Implemented\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
            "This is a SOCKS5 proxy, not an HTTP proxy.\n"};
  return {"", ""};
}

// The fault lies in the local network or in the login, since the edge did not answer.
Reply reply_without_answer(const TunnelRefusal& refusal) {
  if (refusal.error.is_timeout()) return Reply::ttl_expired;
  switch (refusal.error.kind()) {
    case ErrorKind::refused:
    case ErrorKind::login_needed:
      return Reply::not_allowed;
    case ErrorKind::network:
      return Reply::network_unreachable;
    default:
      return Reply::general_failure;
  }
}

}  // namespace

Reply reply_to(const TunnelRefusal& refusal) {
  if (refusal.status == 0) return reply_without_answer(refusal);
  if (refusal.error.kind() == ErrorKind::refused) return Reply::not_allowed;
  switch (refusal.status) {
    case 502:  // cloudflared could not connect to the destination
    case 521:
      return Reply::connection_refused;
    case 408:
    case 504:
    case 522:
    case 524:
      return Reply::ttl_expired;
    case 523:
    case 530:  // no cloudflared is connected, or the name is not known
      return Reply::host_unreachable;
    default:
      return Reply::general_failure;
  }
}

std::string reply_text(Reply reply) {
  return {static_cast<char>(version_5), static_cast<char>(reply), 0, ipv4_type, 0, 0, 0, 0, 0, 0};
}

std::string Handshake::take(std::span<const std::byte> bytes) {
  const auto port = [&] {
    const auto end = bytes.last(2);
    return static_cast<std::uint16_t>(number(end[0]) << 8 | number(end[1]));
  };
  switch (step_) {
    case Step::greeting:
      return take_greeting(number(bytes[0]), number(bytes[1]));
    case Step::methods:
      return take_methods(bytes);
    case Step::request:
      return take_request(bytes);
    case Step::name_length:
      if (bytes[0] == std::byte{0})
        return fail(reply_text(Reply::general_failure), "the destination's name is empty", "");
      return expect(Step::name, number(bytes[0]) + std::size_t{2}), "";
    case Step::ipv4:
    case Step::ipv6:
    case Step::name:
      return take_address(bytes.first(bytes.size() - 2), port());
  }
  return "";
}

std::string Handshake::take_greeting(std::uint8_t version, std::size_t methods) {
  if (version != version_5) {
    const OtherProtocol other = protocol_of(version);
    return fail(other.answer,
                other.name.empty()
                    ? fmt::format("it begins with byte {:#04x}, which is no SOCKS5", version)
                    : fmt::format("it speaks {}, and only SOCKS5 is understood here", other.name),
                std::string(socks5h_hint));
  }
  if (methods == 0) return take_methods({});
  expect(Step::methods, methods);
  return "";
}

std::string Handshake::take_methods(std::span<const std::byte> methods) {
  if (std::ranges::find(methods, std::byte{no_authentication}) == methods.end())
    return fail(method_choice(no_method), "it insists on a login to the proxy",
                "take user name and password out of the program's proxy setting");
  expect(Step::request, 4);
  return method_choice(no_authentication);
}

std::string Handshake::take_request(std::span<const std::byte> request) {
  if (number(request[0]) != version_5 || request[2] != std::byte{0})
    return fail(reply_text(Reply::general_failure), "its request is malformed", "");
  if (number(request[1]) != connect_command)
    return fail(reply_text(Reply::command_not_supported),
                fmt::format("it asks for {}, and only CONNECT goes through a tunnel",
                            number(request[1]) == 2   ? "BIND"
                            : number(request[1]) == 3 ? "UDP"
                                                      : "an unknown command"),
                "");
  switch (number(request[3])) {
    case ipv4_type:
      return expect(Step::ipv4, 4 + 2), "";
    case ipv6_type:
      return expect(Step::ipv6, 16 + 2), "";
    case name_type:
      return expect(Step::name_length, 1), "";
    default:
      return fail(reply_text(Reply::address_type_not_supported),
                  fmt::format("its address is of the unknown type {}", number(request[3])), "");
  }
}

std::string Handshake::take_address(std::span<const std::byte> host, std::uint16_t port) {
  std::optional<std::string> text;
  if (step_ == Step::ipv4) text = address_text(AF_INET, host.data());
  if (step_ == Step::ipv6) text = address_text(AF_INET6, host.data());
  if (step_ == Step::name) text = host_of_name(text_of(host));
  if (!text)
    return fail(reply_text(Reply::general_failure),
                fmt::format("\"{}\" is no host name", printable(text_of(host))), "");
  if (port == 0) return fail(reply_text(Reply::general_failure), "there is no port 0", "");
  wanted_ = 0;
  destination_ = host_port(*text, port);
  return "";
}

void Handshake::expect(Step step, std::size_t wanted) {
  step_ = step;
  wanted_ = wanted;
}

std::string Handshake::fail(std::string answer, std::string problem, std::string hint) {
  wanted_ = 0;
  problem_ = std::move(problem);
  hint_ = std::move(hint);
  return answer;
}

}  // namespace mayfly::socks
