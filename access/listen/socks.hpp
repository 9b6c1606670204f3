// The server side of SOCKS5 without I/O (RFC 1928): CONNECT, no authentication.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace mayfly {
struct TunnelRefusal;
}

namespace mayfly::socks {

// RFC 1928 section 6.
enum class Reply : std::uint8_t {
  succeeded = 0,
  general_failure = 1,
  not_allowed = 2,
  network_unreachable = 3,
  host_unreachable = 4,
  connection_refused = 5,
  ttl_expired = 6,
  command_not_supported = 7,
  address_type_not_supported = 8,
};

// Returns the bytes of a reply with the address 0.0.0.0:0, since the address of the origin's socket
// is not known here.
std::string reply_text(Reply reply);

// Returns the reply that fits best when there is no tunnel.
Reply reply_to(const TunnelRefusal& refusal);

// Decodes a handshake. It asks for exactly the bytes of the handshake, so that the bytes after it
// stay in the socket.
class Handshake {
 public:
  static constexpr std::size_t most_wanted = 257;  // a name of 255 bytes and its port

  // Returns how many bytes to read next, or 0 when the handshake is over.
  std::size_t wanted() const noexcept { return wanted_; }
  // Takes exactly that many bytes. Returns the answer to send, or "".
  std::string take(std::span<const std::byte> bytes);

  // Returns "host:port" (IPv6 in brackets) once the handshake is over, with a valid host in the
  // program's spelling, or "" if the handshake failed. The reply to it is not sent yet.
  const std::string& destination() const noexcept { return destination_; }
  // Why the handshake failed; printable.
  const std::string& problem() const noexcept { return problem_; }
  const std::string& hint() const noexcept { return hint_; }

 private:
  enum class Step { greeting, methods, request, name_length, ipv4, ipv6, name };

  std::string take_greeting(std::uint8_t version, std::size_t methods);
  std::string take_methods(std::span<const std::byte> methods);
  std::string take_request(std::span<const std::byte> request);
  std::string take_address(std::span<const std::byte> host, std::uint16_t port);
  void expect(Step step, std::size_t wanted);
  std::string fail(std::string answer, std::string problem, std::string hint);

  Step step_ = Step::greeting;
  std::size_t wanted_ = 2;
  std::string destination_, problem_, hint_;
};

}  // namespace mayfly::socks
