#include "access/core/punycode.hpp"

#include <doctest/doctest.h>

using namespace mayfly;

// RFC 3492 section 7.1 (E, L, O without its capital, S), and names that are in use.
TEST_CASE("punycode: the samples of RFC 3492, and names with emoji") {
  const struct {
    std::string_view name, ascii;
  } cases[] = {
      {"למההםפשוטלאמדבריםעברית", "xn--4dbcagdahymbxekheh6e0a7fei0b"},
      {"3年b組金八先生", "xn--3b-ww4c5e180e575a65lsy2b"},
      {"maji", "maji"},
      {"-> $1.00 <-", "-> $1.00 <-"},
      {"bücher.example", "xn--bcher-kva.example"},
      {"💩.la", "xn--ls8h.la"},
      {"☃.net", "xn--n3h.net"},
      {"i❤.ws", "xn--i-7iq.ws"},
      {"i❤️.ws", "xn--i-7iq.ws"},
  };
  for (const auto& [name, ascii] : cases) CHECK(xn_form(name) == ascii);
  for (const std::string_view bad : {"\xff", "b\xc3", "\xc3(", "\xf8\x88\x80\x80", "\x80"})
    CHECK_FALSE(xn_form(bad));
}

// Unicode 15.0, section 3.9, table 3-7.
TEST_CASE("what is not UTF-8 has no ASCII form") {
  for (const char* text :
       {"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf0\x80\x80\x80", "\xe0\x80\x80", "\xc0\x80",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\x80", "\xc3", "a\xe2\x82"}) {
    CAPTURE(text);
    CHECK_FALSE(xn_form(text));
  }
  CHECK(xn_form("\xf4\x8f\xbf\xbf"));
}
