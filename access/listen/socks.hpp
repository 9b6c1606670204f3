// SOCKS5 as a server hears and answers it (RFC 1928), without I/O: CONNECT, no authentication.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

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

// The reply with the address 0.0.0.0:0: what the far side's socket is bound to is not known here.
std::string reply_text(Reply reply);

// Takes a handshake apart in pieces of exactly the size it asks for, so that what follows it stays
// with whoever reads.
class Handshake {
 public:
  static constexpr std::size_t most_wanted = 257;  // a name of 255 bytes and its port

  // How many bytes to read next; 0 when it is over.
  std::size_t wanted() const noexcept { return wanted_; }
  // Exactly so many. Returns what is to be sent, "" for nothing.
  std::string take(std::span<const std::byte> bytes);

  // When it is over, "host:port" (IPv6 in brackets), the name as it came and a valid one; "" when
  // it failed. The answer to it is still to be sent.
  const std::string& destination() const noexcept { return destination_; }
  // Why it failed; printable.
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
