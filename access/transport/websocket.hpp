// The WebSocket protocol, client side, without I/O (RFC 6455): bytes in, events out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mayfly::websocket {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// RFC 6455 section 7.4.
namespace close_code {
inline constexpr std::uint16_t normal = 1000, going_away = 1001, protocol_error = 1002, no_status = 1005,
                               abnormal = 1006, too_big = 1009;
}

inline constexpr std::size_t max_header_size = 14;  // client frame: 2 + 8 + 4

// Writes the frame header for a final, masked frame that ends right before `payload` and masks the payload in
// place; returns the whole frame. There must be max_header_size bytes of room before payload.
std::span<std::byte> seal_frame(Opcode opcode, std::span<std::byte> payload, std::uint32_t mask);

// A masked control frame; body at most 125 bytes.
std::string control_frame(Opcode opcode, std::string_view body, std::uint32_t mask);
std::string close_frame(std::uint16_t code, std::string_view reason, std::uint32_t mask);

// Masks from a CSPRNG, drawn in blocks.
std::uint32_t next_mask();

struct Event {
  enum class Kind { need_more, data, ping, pong, close, violation } kind = Kind::need_more;
  std::span<const std::byte> payload;  // data: a piece of a message, valid until the input buffer changes
  std::string body;                    // ping, pong: application data; close: reason; violation: what was wrong
  std::uint16_t code = 0;              // close
};

// Takes the server's frames apart. Payload of data frames is handed out in pieces as it arrives, never gathered.
class Decoder {
 public:
  // Consumes from the front of `input` (shrinks it) and returns the next event; need_more when input is
  // used up. After close or violation nothing more comes.
  Event next(std::span<const std::byte>& input);

 private:
  enum class State { header, payload, finished } state_ = State::header;
  std::array<std::byte, max_header_size> header_{};
  std::size_t header_size_ = 0;
  std::uint64_t payload_left_ = 0;
  Opcode opcode_{};
  bool final_ = false;
  bool in_message_ = false;
  std::string control_body_;
};

// The opening handshake (RFC 6455 section 4.1).
std::string make_key();                            // 16 random bytes in base64
std::string accept_for(std::string_view key);      // what Sec-WebSocket-Accept must be

}  // namespace mayfly::websocket
