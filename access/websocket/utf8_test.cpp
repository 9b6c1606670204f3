// The well-formed and ill-formed sequences of The Unicode Standard, table 3-7, and RFC 3629.
#include "access/websocket/utf8.hpp"

#include <doctest/doctest.h>

#include <string>

using mayfly::Utf8Checker;

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

TEST_CASE("UTF-8 is told from other bytes") {
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
