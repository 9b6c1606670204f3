#include "script_frame.hpp"

#include <nlohmann/json.hpp>

#include "crypto.hpp"

namespace edge {

using nlohmann::json;

std::optional<Received> take_frame(std::string& bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 2) return std::nullopt;
  std::size_t head = 2;
  std::uint64_t size = at(1) & 0x7f;
  const std::size_t width = size == 126 ? 2 : size == 127 ? 8 : 0;
  const bool masked = (at(1) & 0x80) != 0;
  if (bytes.size() < head + width + (masked ? 4 : 0)) return std::nullopt;
  if (width > 0) size = 0;
  for (std::size_t i = 0; i < width; ++i) size = size << 8 | at(head++);
  Received received;
  received.masked = masked;
  received.frame.fin = (at(0) & 0x80) != 0;
  received.frame.rsv = at(0) >> 4 & 7u;
  received.frame.opcode = at(0) & 15u;
  if (masked) received.frame.mask = bytes.substr(head, 4);
  head += masked ? 4 : 0;
  if (bytes.size() - head < size) return std::nullopt;
  received.frame.payload = bytes.substr(head, static_cast<std::size_t>(size));
  for (std::size_t i = 0; masked && i < received.frame.payload.size(); ++i) {
    char& c = received.frame.payload[i];
    c = static_cast<char>(c ^ received.frame.mask[i % 4]);
  }
  bytes.erase(0, head + static_cast<std::size_t>(size));
  return received;
}

json describe(const Received& received) {
  constexpr std::size_t most = 1024;
  return {{"opcode", received.frame.opcode},
          {"fin", received.frame.fin},
          {"rsv", received.frame.rsv},
          {"masked", received.masked},
          {"length", received.frame.payload.size()},
          {"payload_hex", hex(received.frame.payload.substr(0, most))}};
}

std::string parse_payload(const json& given) {
  if (given.contains("payload_hex")) return unhex(given["payload_hex"].get<std::string>());
  if (!given.contains("payload_size")) return given.value("payload", "");
  const auto size = given["payload_size"].get<std::size_t>();
  const std::string fill = given.value("payload_fill", "");
  return fill.empty() ? pattern(size) : std::string(size, fill[0]);
}

Frame parse_frame(const json& given) {
  Frame frame;
  frame.opcode = given.at("opcode").get<unsigned>();
  frame.fin = given.value("fin", true);
  frame.rsv = given.value("rsv", 0u);
  frame.mask = unhex(given.value("mask", ""));
  frame.payload = parse_payload(given);
  return frame;
}

std::string encode_in_fragments(const Frame& whole, std::size_t size) {
  if (size == 0) return encode(whole);
  std::string bytes;
  for (std::size_t at = 0; at < whole.payload.size(); at += size) {
    const bool last = at + size >= whole.payload.size();
    bytes += encode({.opcode = at == 0 ? whole.opcode : 0,
                     .fin = last && whole.fin,
                     .rsv = whole.rsv,
                     .mask = whole.mask,
                     .payload = whole.payload.substr(at, size)});
  }
  return bytes;
}

std::string compare(const json& expected, const Received& received) {
  const json seen = describe(received);
  for (const char* key : {"opcode", "fin", "rsv", "masked", "length"}) {
    if (expected.contains(key) && expected[key] != seen[key]) {
      return std::string(key) + " is " + seen[key].dump() + ", not " + expected[key].dump();
    }
  }
  const std::string& payload = received.frame.payload;
  if (expected.contains("payload") && expected["payload"] != payload) return "payload differs";
  if (expected.contains("payload_hex") &&
      unhex(expected["payload_hex"].get<std::string>()) != payload) {
    return "payload differs";
  }
  if (!expected.contains("code")) return "";
  const int code = payload.size() < 2 ? 1005
                                      : static_cast<unsigned char>(payload[0]) * 256 +
                                            static_cast<unsigned char>(payload[1]);
  return expected["code"] == code ? "" : "close code is " + std::to_string(code);
}

}  // namespace edge
