// Our own frames: opcode, four bytes of mask, payload.
#include <algorithm>
#include <cstring>
#include <iterator>
#include <vector>

#include "access/websocket/websocket.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

using namespace websocket;

// A client's frame as a server reads it (RFC 6455 section 5.3), and then sends it back unmasked.
std::string sent_back(std::string_view frame) {
  require(frame.size() >= 6, "a frame has a header and a mask");
  const auto second = static_cast<unsigned char>(frame[1]);
  require((second & 0x80) != 0, "a client's frame is masked");
  const std::size_t length = second & 0x7f;
  const std::size_t mask_at = length == 126 ? 4 : length == 127 ? 10 : 2;
  std::string unmasked(frame.substr(0, mask_at));
  unmasked[1] = static_cast<char>(second & 0x7f);
  const auto payload = frame.substr(mask_at + 4);
  for (std::size_t i = 0; i < payload.size(); ++i)
    unmasked += static_cast<char>(payload[i] ^ frame[mask_at + i % 4]);
  return unmasked;
}

std::string payload_of(std::string_view stream, Event::Kind kind) {
  Decoder decoder;
  auto left = as_bytes(stream);
  const Event event = decoder.next(left);
  if (event.kind == Event::Kind::need_more) return {};  // an empty message is no event
  require(event.kind == kind, "the frame is of its kind");
  std::string payload(as_text(event.payload));
  require(left.empty() && decoder.next(left).kind == Event::Kind::need_more, "there is one frame");
  return payload;
}

const Harness harness("frame", [](std::string_view input) {
  Input in(input);
  std::uint32_t mask = 0;
  const auto mask_bytes = in.take(4);
  std::memcpy(&mask, mask_bytes.data(), mask_bytes.size());
  const std::string_view payload = in.rest();

  std::vector<std::byte> buffer(max_header_size);
  std::ranges::copy(as_bytes(payload), std::back_inserter(buffer));
  const auto sealed = seal_frame(Opcode::binary, std::span(buffer).subspan(max_header_size), mask);
  require(sealed.data() >= buffer.data(), "the header fits into its room");
  require(payload_of(sent_back(as_text(sealed)), Event::Kind::data) == payload,
          "what is sent arrives");

  const std::string ping = control_frame(Opcode::ping, payload, mask);
  require(payload_of(sent_back(ping), Event::Kind::ping) == payload.substr(0, max_control_body),
          "a ping arrives, cut to its bound");
  const std::string close = close_frame(close_code::normal, "bye", mask);
  require(payload_of(sent_back(close), Event::Kind::close) == "bye", "a close arrives");
});

}  // namespace
}  // namespace mayfly::fuzz
