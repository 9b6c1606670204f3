#include "access/websocket/websocket.hpp"

#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

#include "access/core/encoding.hpp"

namespace mayfly::websocket {
namespace {

constexpr std::byte final_bit{0x80}, reserved_bits{0x70}, opcode_bits{0x0f};
constexpr std::byte mask_bit{0x80}, length_bits{0x7f};
constexpr std::uint8_t length_is_16_bits = 126, length_is_64_bits = 127;

std::uint64_t big_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

void put_big_endian(std::span<std::byte> into, std::uint64_t value) {
  for (std::size_t i = into.size(); i-- > 0; value >>= 8) into[i] = static_cast<std::byte>(value);
}

bool is_control(Opcode opcode) {
  return (static_cast<unsigned>(opcode) & 8U) != 0;
}

// Whether a Close may carry this code: 1004 to 1006 and 1015 are reserved (RFC 6455 section 7.4 and
// the IANA registry).
bool may_be_sent(std::uint64_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

// 16 bytes, which current processors handle in one instruction. g++ 12 vectorises the simple loop
// at -O3 only; without vectors, masking is a tenth of the cost of an upload.
using Block [[gnu::vector_size(16)]] = std::uint64_t;
constexpr std::size_t blocks_a_turn = 4;

// Masks in place. The mask's bytes are applied in the order in which they lie in memory.
void apply_mask(std::span<std::byte> payload, std::uint32_t mask) {
  const std::uint64_t wide = std::uint64_t{mask} << 32 | mask;
  const Block key = {wide, wide};
  while (payload.size() >= blocks_a_turn * sizeof key) {
    for (std::size_t i = 0; i < blocks_a_turn; ++i) {
      std::byte* const at = payload.data() + i * sizeof key;
      Block block;
      std::memcpy(&block, at, sizeof block);
      block ^= key;
      std::memcpy(at, &block, sizeof block);
    }
    payload = payload.subspan(blocks_a_turn * sizeof key);
  }
  const auto bytes = std::bit_cast<std::array<std::byte, sizeof mask>>(mask);
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] ^= bytes[i % sizeof mask];
}

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

std::span<std::byte> seal_frame(Opcode opcode, std::span<std::byte> payload, std::uint32_t mask) {
  const std::size_t size = payload.size();
  const std::size_t length_size = size < length_is_16_bits ? 0 : size <= 0xffff ? 2 : 8;
  const std::size_t header_size = 2 + length_size + sizeof mask;
  std::byte* header = payload.data() - header_size;
  header[0] = final_bit | static_cast<std::byte>(opcode);
  const auto short_length = length_size == 0   ? static_cast<std::uint8_t>(size)
                            : length_size == 2 ? length_is_16_bits
                                               : length_is_64_bits;
  header[1] = mask_bit | static_cast<std::byte>(short_length);
  put_big_endian({header + 2, length_size}, size);
  std::memcpy(header + 2 + length_size, &mask, sizeof mask);
  apply_mask(payload, mask);
  return {header, header_size + size};
}

std::string control_frame(Opcode opcode, std::string_view body, std::uint32_t mask) {
  std::array<std::byte, max_header_size + max_control_body> room{};
  const std::size_t size = std::min(body.size(), max_control_body);
  const std::span payload(room.data() + max_header_size, size);
  std::ranges::copy(as_bytes(body.substr(0, size)), payload.begin());
  const auto frame = seal_frame(opcode, payload, mask);
  std::string out(frame.size(), '\0');
  std::memcpy(out.data(), frame.data(), frame.size());
  return out;
}

std::string close_frame(std::uint16_t code, std::string_view reason, std::uint32_t mask) {
  std::string body;
  if (code != close_code::no_status) {
    body = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
    body += reason;
  }
  return control_frame(Opcode::close, body, mask);
}

std::uint32_t next_mask() {
  static thread_local std::array<std::uint32_t, 64> drawn;
  static thread_local std::size_t left = 0;
  if (left == 0) {
    randombytes_buf(drawn.data(), sizeof drawn);
    left = drawn.size();
  }
  return drawn[--left];
}

// Reads the first byte of a character. It fixes the number of continuation bytes, and it narrows
// the first of them so that overlong forms, surrogates and values above U+10FFFF are refused (RFC
// 3629 section 4).
bool Utf8Checker::start(std::uint8_t lead) {
  low_ = 0x80;
  high_ = 0xbf;
  if (lead < 0x80) return true;
  if (lead < 0xc2 || lead > 0xf4) return false;
  continuation_left_ = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  if (lead == 0xe0) low_ = 0xa0;
  if (lead == 0xed) high_ = 0x9f;
  if (lead == 0xf0) low_ = 0x90;
  if (lead == 0xf4) high_ = 0x8f;
  return true;
}

bool Utf8Checker::feed(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (continuation_left_ == 0 && bytes.size() >= sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data(), sizeof word);
      if ((word & 0x8080808080808080U) == 0) {
        bytes = bytes.subspan(sizeof word);
        continue;
      }
    }
    const auto byte = std::to_integer<std::uint8_t>(bytes.front());
    bytes = bytes.subspan(1);
    if (continuation_left_ == 0) {
      if (!start(byte)) return false;
      continue;
    }
    if (byte < low_ || byte > high_) return false;
    low_ = 0x80;
    high_ = 0xbf;
    --continuation_left_;
  }
  return true;
}

Event Decoder::next(std::span<const std::byte>& input) {
  while (true) {
    if (state_ == State::finished) return {};
    if (state_ == State::header) {
      if (!gather_header(input)) return {};
      const Event problem = read_header();
      if (problem.kind == Event::Kind::violation) return problem;
    }
    const Event event = is_control(opcode_) ? take_control(input) : take_data(input);
    if (event.kind != Event::Kind::need_more) return event;
    if (state_ == State::payload) return {};  // otherwise the frame was empty: read the next
  }
}

std::size_t Decoder::header_needed() const {
  if (header_size_ < 2) return 2;
  const auto length = std::to_integer<std::uint8_t>(header_[1] & length_bits);
  return length == length_is_64_bits ? 10 : length == length_is_16_bits ? 4 : 2;
}

bool Decoder::gather_header(std::span<const std::byte>& input) {
  while (header_size_ < header_needed()) {
    const std::size_t take = std::min(header_needed() - header_size_, input.size());
    if (take == 0) return false;
    std::memcpy(header_.data() + header_size_, input.data(), take);
    header_size_ += take;
    input = input.subspan(take);
  }
  return true;
}

Event Decoder::read_header() {
  const std::byte first = header_[0], second = header_[1];
  const auto opcode = std::to_integer<std::uint8_t>(first & opcode_bits);
  if ((first & reserved_bits) != std::byte{}) return violation("a reserved bit is set");
  if ((opcode > 2 && opcode < 8) || opcode > 10) return violation("unknown opcode");
  if ((second & mask_bit) != std::byte{}) return violation("a frame of the server is masked");
  const auto short_length = std::to_integer<std::uint8_t>(second & length_bits);
  payload_left_ = short_length;
  if (short_length >= length_is_16_bits)
    payload_left_ = big_endian(std::span(header_).subspan(2, header_size_ - 2));
  // RFC 6455 section 5.2: the minimal number of bytes, and the most significant bit 0.
  if ((short_length == length_is_16_bits && payload_left_ < length_is_16_bits) ||
      (short_length == length_is_64_bits && payload_left_ <= 0xffff))
    return violation("a length is not encoded in its shortest form");
  if (payload_left_ >> 63 != 0) return violation("a length is larger than 63 bits");
  header_size_ = 0;
  return start_frame(static_cast<Opcode>(opcode), (first & final_bit) != std::byte{});
}

// RFC 6455 sections 5.4 and 5.5.
Event Decoder::start_frame(Opcode opcode, bool final) {
  if (is_control(opcode)) {
    if (!final) return violation("a control frame is fragmented");
    if (payload_left_ > max_control_body) return violation("a control frame is too long");
    control_size_ = 0;
  } else if (opcode == Opcode::continuation) {
    if (message_ == Message::none) return violation("a continuation without a message to continue");
  } else {
    if (message_ != Message::none) return violation("a new message inside a message");
    message_ = opcode == Opcode::text ? Message::text : Message::binary;
    utf8_ = {};
  }
  opcode_ = opcode;
  final_ = final;
  state_ = State::payload;
  return {};
}

// Takes the part of the current frame's payload that has arrived.
std::span<const std::byte> Decoder::take_piece(std::span<const std::byte>& input) {
  const auto piece =
      input.first(static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, input.size())));
  input = input.subspan(piece.size());
  payload_left_ -= piece.size();
  return piece;
}

Event Decoder::take_data(std::span<const std::byte>& input) {
  const auto piece = take_piece(input);
  const bool message_ends = payload_left_ == 0 && final_;
  if (message_ == Message::text && (!utf8_.feed(piece) || (message_ends && !utf8_.complete())))
    return violation("a text message is not UTF-8", close_code::bad_text);
  if (payload_left_ == 0) state_ = State::header;
  if (message_ends) message_ = Message::none;
  if (piece.empty()) return {};
  return {.kind = Event::Kind::data, .payload = piece, .code = 0, .problem = {}};
}

Event Decoder::take_control(std::span<const std::byte>& input) {
  const auto piece = take_piece(input);
  std::ranges::copy(piece, control_.begin() + static_cast<std::ptrdiff_t>(control_size_));
  control_size_ += piece.size();
  if (payload_left_ > 0) return {};
  state_ = State::header;
  if (opcode_ == Opcode::close) return finish_close();
  return {.kind = opcode_ == Opcode::ping ? Event::Kind::ping : Event::Kind::pong,
          .payload = std::span(control_).first(control_size_),
          .code = 0,
          .problem = {}};
}

Event Decoder::finish_close() {
  const auto body = std::span<const std::byte>(control_).first(control_size_);
  if (body.size() == 1) return violation("a close body of one byte");
  Event event{
      .kind = Event::Kind::close, .payload = {}, .code = close_code::no_status, .problem = {}};
  if (body.size() >= 2) {
    const std::uint64_t code = big_endian(body.first(2));
    if (!may_be_sent(code)) return violation("a close code that must not be sent");
    event.code = static_cast<std::uint16_t>(code);
    event.payload = body.subspan(2);
    Utf8Checker reason;
    if (!reason.feed(event.payload) || !reason.complete())
      return violation("a close reason is not UTF-8", close_code::bad_text);
  }
  state_ = State::finished;
  return event;
}

Event Decoder::violation(std::string_view problem, std::uint16_t code) {
  state_ = State::finished;
  return {.kind = Event::Kind::violation, .payload = {}, .code = code, .problem = problem};
}

std::string make_key() {
  std::string bytes(16, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return base64_encode(bytes, Base64::standard);
}

std::string accept_for(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1)
    throw std::runtime_error("SHA-1 is not available");
  return base64_encode({std::bit_cast<const char*>(digest.data()), size}, Base64::standard);
}

}  // namespace mayfly::websocket
