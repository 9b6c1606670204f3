// The client side of the WebSocket protocol without I/O (RFC 6455): bytes in, events out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

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

// Makes a final, masked frame: writes its header right before `payload`, where max_header_size
// bytes must be free, and masks the payload in place. Returns the whole frame.
std::span<std::byte> seal_frame(Opcode opcode, std::span<std::byte> payload, std::uint32_t mask);

// Returns a masked control frame. Only the first max_control_body bytes of `body` are used.
std::string control_frame(Opcode opcode, std::string_view body, std::uint32_t mask);
// Returns a masked Close frame; the code no_status makes one without a body.
std::string close_frame(std::uint16_t code, std::string_view reason, std::uint32_t mask);

// Returns an unpredictable mask from a CSPRNG (RFC 6455 section 10.3). The random numbers are drawn
// in blocks, and each is used once.
std::uint32_t next_mask();

struct Event {
  enum class Kind { need_more, data, ping, pong, close, violation } kind = Kind::need_more;
  // data: a piece of a message, inside the input. ping, pong: the application data. close: the
  // reason. For these three the bytes are in the decoder, and valid until the next call.
  std::span<const std::byte> payload;
  std::uint16_t code = 0;    // close: the peer's code. violation: the code to close with.
  std::string_view problem;  // violation: a literal that says what is wrong
};

// Checks text that arrives in pieces of any size to be UTF-8 (RFC 3629).
class Utf8Checker {
 public:
  // Checks the next piece. Returns false as soon as the text cannot be UTF-8.
  bool feed(std::span<const std::byte> bytes);
  // Returns whether the text so far ends with a complete character.
  bool complete() const noexcept { return continuation_left_ == 0; }

 private:
  bool start(std::uint8_t lead);

  unsigned continuation_left_ = 0;
  std::uint8_t low_ = 0x80, high_ = 0xbf;  // bounds of the next continuation byte
};

// Decodes the server's frames. Hands out the payload of data frames in pieces as they arrive, and
// never gathers a message. Checks that text messages are UTF-8 (section 8.1).
class Decoder {
 public:
  // Consumes bytes from the front of `input` and returns the next event, or need_more once `input`
  // is used up. After a close or a violation there are no further events, and the rest of `input`
  // is left alone.
  Event next(std::span<const std::byte>& input);

 private:
  enum class State { header, payload, finished };
  enum class Message { none, binary, text };

  bool gather_header(std::span<const std::byte>& input);
  std::size_t header_needed() const;
  Event read_header();
  Event start_frame(Opcode opcode, bool final);
  std::span<const std::byte> take_piece(std::span<const std::byte>& input);
  Event take_data(std::span<const std::byte>& input);
  Event take_control(std::span<const std::byte>& input);
  Event finish_close();
  Event violation(std::string_view problem, std::uint16_t code = close_code::protocol_error);

  State state_ = State::header;
  std::array<std::byte, max_header_size> header_{};
  std::size_t header_size_ = 0;
  std::uint64_t payload_left_ = 0;  // of the current frame
  Opcode opcode_ = Opcode::continuation;
  bool final_ = false;               // whether the current frame ends its message
  Message message_ = Message::none;  // the message whose frames are arriving
  Utf8Checker utf8_;
  std::array<std::byte, max_control_body> control_{};
  std::size_t control_size_ = 0;
};

// The opening handshake (RFC 6455 section 4.1).
// Returns a Sec-WebSocket-Key: 16 random bytes in base64.
std::string make_key();
// Returns the Sec-WebSocket-Accept that answers `key`.
std::string accept_for(std::string_view key);

}  // namespace mayfly::websocket
