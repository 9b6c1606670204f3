// The WebSocket protocol, client side, without I/O (RFC 6455): bytes in, events out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "access/websocket/utf8.hpp"

namespace mayfly::websocket {

enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

// RFC 6455 section 7.4.
namespace close_code {
inline constexpr std::uint16_t normal = 1000, going_away = 1001, protocol_error = 1002,
                               no_status = 1005, abnormal = 1006, bad_text = 1007, too_big = 1009;
}

inline constexpr std::size_t max_header_size = 14;  // client frame: 2 + 8 + 4
inline constexpr std::size_t max_control_body = 125;
// The largest payload whose frame fills four TLS records exactly: 8 bytes of header and 65,528.
inline constexpr std::size_t full_payload = std::size_t{4} * 16384 - 8;

// Writes the header of a final, masked frame right before `payload` and masks the payload in place;
// returns the whole frame. There must be max_header_size bytes of room before payload.
std::span<std::byte> seal_frame(Opcode opcode, std::span<std::byte> payload, std::uint32_t mask);

// A masked control frame; body at most max_control_body bytes, a longer one is cut.
std::string control_frame(Opcode opcode, std::string_view body, std::uint32_t mask);
// code no_status makes a Close without a body.
std::string close_frame(std::uint16_t code, std::string_view reason, std::uint32_t mask);

// Fresh, from a CSPRNG; drawn in blocks, each value given out once (RFC 6455 section 10.3).
std::uint32_t next_mask();

struct Event {
  enum class Kind { need_more, data, ping, pong, close, violation } kind = Kind::need_more;
  // data: a piece of a message, inside the input. ping, pong: application data; close: the reason;
  // these two live in the decoder until the next call.
  std::span<const std::byte> payload;
  std::uint16_t code = 0;    // close: the peer's; violation: the one to close with
  std::string_view problem;  // violation: what was wrong, a literal
};

// Takes the server's frames apart. Payload of data frames is handed out in pieces as it arrives,
// never gathered, whatever the frame's length. Text messages are checked to be UTF-8 (section 8.1).
class Decoder {
 public:
  // Consumes from the front of `input` (shrinks it) and returns the next event; need_more when
  // input is used up. After close or violation nothing more comes: what follows stays in input.
  Event next(std::span<const std::byte>& input);

 private:
  enum class State { header, payload, finished };

  bool gather_header(std::span<const std::byte>& input);
  std::size_t header_needed() const;
  Event read_header();
  Event start_frame(Opcode opcode, bool final);
  Event take_payload(std::span<const std::byte>& input);
  Event take_data(std::span<const std::byte>& input);
  Event take_control(std::span<const std::byte>& input);
  Event finish_close();
  Event violation(std::string_view problem, std::uint16_t code = close_code::protocol_error);

  State state_ = State::header;
  std::array<std::byte, max_header_size> header_{};
  std::size_t header_size_ = 0;
  std::uint64_t payload_left_ = 0;
  Opcode opcode_ = Opcode::continuation;
  bool final_ = false;
  bool in_message_ = false;
  bool text_ = false;
  Utf8Checker utf8_;
  std::array<std::byte, max_control_body> control_{};
  std::size_t control_size_ = 0;
};

// The opening handshake (RFC 6455 section 4.1).
std::string make_key();                        // 16 random bytes in base64
std::string accept_for(std::string_view key);  // what Sec-WebSocket-Accept must be

}  // namespace mayfly::websocket
