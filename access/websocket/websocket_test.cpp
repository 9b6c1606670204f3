// The codec against RFC 6455: its examples (section 5.7) and its rules, whole and byte by byte.
#include "access/websocket/websocket.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <string>
#include <vector>

using namespace mayfly;
using namespace mayfly::websocket;
using namespace std::string_literals;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Returns the events as one line: "data(Hello) ping(x) close(1000,bye) !why".
struct Story {
  std::string data, told;

  bool add(const Event& event) {
    switch (event.kind) {
      case Event::Kind::need_more:
        return false;
      case Event::Kind::data:
        data += text_of(event.payload);
        return true;
      case Event::Kind::ping:
        told += "ping(" + text_of(event.payload) + ") ";
        return true;
      case Event::Kind::pong:
        told += "pong(" + text_of(event.payload) + ") ";
        return true;
      case Event::Kind::close:
        told += "close(" + std::to_string(event.code) + "," + text_of(event.payload) + ") ";
        return true;
      case Event::Kind::violation:
        told += "!" + std::string(event.problem) + " " + std::to_string(event.code) + " ";
        return true;
    }
    return false;
  }
};

Story read_in_steps(std::string_view stream, std::size_t step) {
  Decoder decoder;
  Story story;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    auto input = bytes_of(stream.substr(at, step));
    while (story.add(decoder.next(input))) {
    }
  }
  return story;
}

// Returns an unmasked frame with its length in the shortest form.
std::string frame(int first, std::string_view payload) {
  std::string out(1, static_cast<char>(first));
  if (payload.size() < 126) {
    out += static_cast<char>(payload.size());
  } else if (payload.size() <= 0xffff) {
    out += '\x7e';
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size() & 0xff);
  } else {
    out += '\x7f';
    for (int shift = 56; shift >= 0; shift -= 8)
      out += static_cast<char>(std::uint64_t{payload.size()} >> shift & 0xff);
  }
  return out.append(payload);
}

}  // namespace

TEST_CASE("frames are sealed in place, as in RFC 6455 section 5.7") {
  // "A single-frame masked text message": 37 fa 21 3d masks "Hello".
  std::string room(max_header_size, '\0');
  room += "Hello";
  const auto bytes = std::as_writable_bytes(std::span(room));
  std::uint32_t mask = 0;
  std::memcpy(&mask, "\x37\xfa\x21\x3d", 4);
  const auto sealed = seal_frame(Opcode::text, bytes.subspan(max_header_size), mask);
  CHECK(text_of(sealed) == "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s);
}

TEST_CASE("every payload size is masked byte for byte and has the right form of length") {
  std::uint32_t mask = 0;
  std::memcpy(&mask, "\x01\x82\x43\xff", 4);
  const std::string key = "\x01\x82\x43\xff"s;
  constexpr std::size_t sizes[] = {0, 1, 2, 3, 4, 7, 8, 9, 125, 126, 127, 255, 65535, 65536, 70001};
  for (const std::size_t size : sizes) {
    CAPTURE(size);
    std::string room(max_header_size + size, 'x');
    for (std::size_t i = 0; i < size; ++i)
      room[max_header_size + i] = static_cast<char>(i * 7 % 251);
    const std::string plain = room.substr(max_header_size);
    const auto bytes = std::as_writable_bytes(std::span(room));
    const std::string sealed =
        text_of(seal_frame(Opcode::binary, bytes.subspan(max_header_size), mask));
    std::string expected = frame(0x82, plain);
    expected[1] = static_cast<char>(expected[1] | '\x80');
    expected.insert(expected.size() - size, key);
    for (std::size_t i = 0; i < size; ++i)
      expected[expected.size() - size + i] = static_cast<char>(plain[i] ^ key[i % 4]);
    CHECK((sealed == expected));
  }
}

TEST_CASE("a frame of full_payload fills four TLS records") {
  std::vector<std::byte> room(max_header_size + full_payload);
  const auto sealed = seal_frame(Opcode::binary, std::span(room).subspan(max_header_size), 1);
  CHECK(sealed.size() == 4 * 16384);
}

TEST_CASE("control frames are masked and hold at most 125 bytes") {
  CHECK(control_frame(Opcode::ping, "ab", 0) == "\x89\x82\0\0\0\0ab"s);
  CHECK(close_frame(1000, "bye", 0) == "\x88\x85\0\0\0\0\x03\xe8"s + "bye");
  CHECK(close_frame(close_code::no_status, "", 0) == "\x88\x80\0\0\0\0"s);
  CHECK(control_frame(Opcode::pong, std::string(200, 'x'), 0).size() == 6 + 125);
}

TEST_CASE("masks do not repeat") {
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(next_mask());
  CHECK(seen.size() > 990);  // 1000 draws of 2^32 collide once in 8,600 runs
}

TEST_CASE("frames that a server may send are decoded") {
  const std::string big(70000, 'b');
  struct Case {
    const char* name;
    std::string stream, data, told;
  };
  const std::vector<Case> cases = {
      {"unmasked text, RFC 6455 section 5.7", "\x81\x05Hello"s, "Hello", ""},
      {"fragmented, RFC 6455 section 5.7", "\x01\x03Hel\x80\x02lo"s, "Hello", ""},
      {"ping, RFC 6455 section 5.7", "\x89\x05Hello"s, "", "ping(Hello) "},
      {"binary, 256 bytes", frame(0x82, big.substr(0, 256)), big.substr(0, 256), ""},
      {"binary, 70000 bytes", frame(0x82, big), big, ""},
      {"empty frames", frame(0x82, "") + frame(0x02, "") + frame(0x00, "") + frame(0x80, "x"), "x",
       ""},
      {"control frames between fragments",
       frame(0x02, "a") + frame(0x89, "p") + frame(0x00, "b") + frame(0x8a, "q") + frame(0x80, "c"),
       "abc", "ping(p) pong(q) "},
      {"a ping of 125 bytes", frame(0x89, big.substr(0, 125)), "",
       "ping(" + big.substr(0, 125) + ") "},
      {"close without a body", frame(0x88, ""), "", "close(1005,) "},
      {"close 1000", frame(0x88, "\x03\xe8"), "", "close(1000,) "},
      {"close 4999 with a reason", frame(0x88, "\x13\x87so long"), "", "close(4999,so long) "},
      {"nothing is read after a close", frame(0x88, "\x03\xe8") + frame(0x82, "x"), "",
       "close(1000,) "},
      {"text cut inside a character by frames", frame(0x01, "\xe2\x82") + frame(0x80, "\xac"),
       "\xe2\x82\xac", ""},
      {"a byte order of anything in binary", frame(0x82, "\xff\xfe\x80"), "\xff\xfe\x80", ""},
  };
  for (const Case& one : cases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, one.stream.size()}) {
      CAPTURE(one.name);
      CAPTURE(step);
      const Story story = read_in_steps(one.stream, step);
      CHECK((story.data == one.data));
      CHECK((story.told == one.told));
    }
  }
}

TEST_CASE("frames that a server must not send are violations") {
  struct Case {
    const char* name;
    std::string stream;
    const char* told;
  };
  const std::vector<Case> cases = {
      {"RSV1", frame(0xc2, "x"), "!a reserved bit is set 1002 "},
      {"RSV2", frame(0xa2, "x"), "!a reserved bit is set 1002 "},
      {"RSV3", frame(0x92, "x"), "!a reserved bit is set 1002 "},
      {"opcode 3", frame(0x83, ""), "!unknown opcode 1002 "},
      {"opcode 7", frame(0x87, ""), "!unknown opcode 1002 "},
      {"opcode 11", frame(0x8b, ""), "!unknown opcode 1002 "},
      {"opcode 15", frame(0x8f, ""), "!unknown opcode 1002 "},
      {"masked", "\x82\x81\x01\x02\x03\x04x"s, "!a frame of the server is masked 1002 "},
      {"fragmented ping", frame(0x09, "x"), "!a control frame is fragmented 1002 "},
      {"fragmented close", frame(0x08, "\x03\xe8"), "!a control frame is fragmented 1002 "},
      {"ping of 126 bytes", frame(0x89, std::string(126, 'x')),
       "!a control frame is too long 1002 "},
      {"125 in 16 bits", "\x82\x7e\x00\x7d"s,
       "!a length is not encoded in its shortest form 1002 "},
      {"65535 in 64 bits", "\x82\x7f\0\0\0\0\0\0\xff\xff"s,
       "!a length is not encoded in its shortest form 1002 "},
      {"64-bit length", "\x82\x7f\x80\0\0\0\0\0\0\0"s, "!a length is larger than 63 bits 1002 "},
      {"continuation first", frame(0x80, "x"),
       "!a continuation without a message to continue 1002 "},
      {"continuation after the end", frame(0x82, "") + frame(0x80, ""),
       "!a continuation without a message to continue 1002 "},
      {"binary in a message", frame(0x02, "") + frame(0x82, ""),
       "!a new message inside a message 1002 "},
      {"text in a message", frame(0x02, "") + frame(0x81, ""),
       "!a new message inside a message 1002 "},
      {"close of one byte", frame(0x88, "\x03"), "!a close body of one byte 1002 "},
      {"close 999", frame(0x88, "\x03\xe7"), "!a close code that must not be sent 1002 "},
      {"close 1004", frame(0x88, "\x03\xec"), "!a close code that must not be sent 1002 "},
      {"close 1005", frame(0x88, "\x03\xed"), "!a close code that must not be sent 1002 "},
      {"close 1006", frame(0x88, "\x03\xee"), "!a close code that must not be sent 1002 "},
      {"close 1015", frame(0x88, "\x03\xf7"), "!a close code that must not be sent 1002 "},
      {"close 2999", frame(0x88, "\x0b\xb7"), "!a close code that must not be sent 1002 "},
      {"close 5000", frame(0x88, "\x13\x88"), "!a close code that must not be sent 1002 "},
      {"close 65535", frame(0x88, "\xff\xff"), "!a close code that must not be sent 1002 "},
      {"close reason", frame(0x88, "\x03\xe8\xff"), "!a close reason is not UTF-8 1007 "},
      {"close reason cut", frame(0x88, "\x03\xe8\xe2\x82"), "!a close reason is not UTF-8 1007 "},
      {"text", frame(0x81, "\xff"), "!a text message is not UTF-8 1007 "},
      {"text that ends inside a character", frame(0x81, "\xe2\x82"),
       "!a text message is not UTF-8 1007 "},
      {"the same, ended by an empty frame", frame(0x01, "\xe2\x82") + frame(0x80, ""),
       "!a text message is not UTF-8 1007 "},
      {"text, second fragment", frame(0x01, "a") + frame(0x80, "\xc0\x80"),
       "!a text message is not UTF-8 1007 "},
  };
  for (const Case& one : cases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, one.stream.size() + 2}) {
      CAPTURE(one.name);
      CAPTURE(step);
      const Story story = read_in_steps(one.stream + frame(0x89, ""), step);
      CHECK(story.told == one.told);
    }
  }
}

TEST_CASE("data is handed out as it arrives, without a copy") {
  const std::string stream = frame(0x82, std::string(1000, 'x'));
  Decoder decoder;
  auto input = bytes_of(std::string_view(stream).substr(0, 14));
  const Event event = decoder.next(input);
  CHECK(event.kind == Event::Kind::data);
  CHECK(event.payload.size() == 10);
  CHECK(reinterpret_cast<const char*>(event.payload.data()) == stream.data() + 4);
  CHECK(decoder.next(input).kind == Event::Kind::need_more);
}

TEST_CASE("the key and the accept value of the opening handshake are those of RFC 6455") {
  // RFC 6455 section 1.3.
  CHECK(accept_for("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(make_key().size() == 24);
  CHECK(make_key() != make_key());
}

namespace {

bool is_utf8(std::string_view text, std::size_t step) {
  Utf8Checker checker;
  for (std::size_t at = 0; at < text.size(); at += step) {
    const std::string_view piece = text.substr(at, step);
    if (!checker.feed(std::as_bytes(std::span(piece.data(), piece.size())))) return false;
  }
  return checker.complete();
}

}  // namespace

// The sequences of The Unicode Standard, table 3-7, and of RFC 3629.
TEST_CASE("well-formed UTF-8 is accepted and other bytes are not") {
  struct Case {
    std::string text;
    bool valid;
  };
  const std::string long_ascii(33, 'a');
  const Case cases[] = {
      {"", true},
      {long_ascii, true},
      {long_ascii + "\xc3\xa9" + long_ascii, true},
      {long_ascii + "\xff" + long_ascii, false},
      {"\x7f", true},
      {"\xc2\x80", true},
      {"\xdf\xbf", true},
      {"\xe0\xa0\x80", true},
      {"\xed\x9f\xbf", true},
      {"\xee\x80\x80", true},
      {"\xef\xbf\xbf", true},
      {"\xf0\x90\x80\x80", true},
      {"\xf4\x8f\xbf\xbf", true},
      {"\x80", false},
      {"\xc0\x80", false},
      {"\xc1\xbf", false},
      {"\xe0\x9f\xbf", false},
      {"\xed\xa0\x80", false},
      {"\xed\xbf\xbf", false},
      {"\xf0\x8f\xbf\xbf", false},
      {"\xf4\x90\x80\x80", false},
      {"\xf5\x80\x80\x80", false},
      {"\xc3", false},
      {"\xe2\x82", false},
      {"\xc3(", false},
      {"\xe2\x82(", false},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    CHECK(is_utf8(one.text, 1) == one.valid);
    CHECK(is_utf8(one.text, 64) == one.valid);
  }
}
