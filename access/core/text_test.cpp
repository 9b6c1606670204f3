#include "access/core/text.hpp"

#include <doctest/doctest.h>

namespace mayfly {
namespace {

using namespace std::string_view_literals;

TEST_SUITE("core/text") {
  TEST_CASE("what people write is shown as it is") {
    for (const auto text :
         {"", "plain text, 100 %", "Grüße", "日本語", "🙂", "a\\b", "\xc2\xa0"}) {
      CHECK(printable(text) == text);
    }
  }

  TEST_CASE("controls are shown, not obeyed") {
    struct {
      std::string_view bytes, shown;
    } const cases[] = {
        {"a\nb", "a\\x0ab"},
        {"\r", "\\x0d"},
        {"\t", "\\x09"},
        {"\0"sv, "\\x00"},
        {"\x1f\x20", "\\x1f "},
        {"\x7f", "\\x7f"},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"\x1b]8;;https://evil\x07", "\\x1b]8;;https://evil\\x07"},
        {"\xc2\x80", "\\xc2\\x80"},              // first of C1
        {"\xc2\x9b\x33\x31m", "\\xc2\\x9b31m"},  // CSI as one C1 character
        {"\xc2\x9f", "\\xc2\\x9f"},              // last of C1
        {"\x9b", "\\x9b"},                       // the same CSI to an 8-bit terminal
        {"\xd8\x9c", "\\xd8\\x9c"},              // U+061C, U+200E, U+200F: marks of direction
        {"\xe2\x80\x8e", "\\xe2\\x80\\x8e"},
        {"\xe2\x80\x8f", "\\xe2\\x80\\x8f"},
        {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},  // U+2028, U+2029: line and paragraph
        {"\xe2\x80\xa9", "\\xe2\\x80\\xa9"},
        {"\xe2\x80\xaa", "\\xe2\\x80\\xaa"},  // U+202A..E: embeddings and overrides
        {"\xe2\x80\xae", "\\xe2\\x80\\xae"},
        {"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},  // U+2066..9: isolates
        {"\xe2\x81\xa9", "\\xe2\\x81\\xa9"},
        {"\xe2\x80\x90", "\xe2\x80\x90"},  // a hyphen and a word joiner next to them
        {"\xe2\x81\xa0", "\xe2\x81\xa0"},
    };
    for (const auto& [bytes, shown] : cases) CHECK(printable(bytes) == shown);
  }

  TEST_CASE("what is not UTF-8 is shown byte by byte") {
    struct {
      std::string_view bytes, shown;
    } const cases[] = {
        {"\x80", "\\x80"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xc3", "\\xc3"},  // cut short
        {"\xe2\x82", "\\xe2\\x82"},
        {"\xf0\x9f\x99", "\\xf0\\x9f\\x99"},
        {"\xc3(", "\\xc3("},
        {"\xe2(\xa1", "\\xe2(\\xa1"},
        {"\xe2\x82(", "\\xe2\\x82("},
        {"\xf0\x90\x8c(", "\\xf0\\x90\\x8c("},
        {"\xc0\x8a", "\\xc0\\x8a"},  // overlong
        {"\xc1\xbf", "\\xc1\\xbf"},
        {"\xe0\x80\x8a", "\\xe0\\x80\\x8a"},
        {"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},
        {"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // a surrogate
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // above U+10FFFF
        {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
        {"\xed\x9f\xbf", "\xed\x9f\xbf"},  // the neighbours are well-formed
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
    };
    for (const auto& [bytes, shown] : cases) CHECK(printable(bytes) == shown);
  }

  TEST_CASE("a long text is cut between characters") {
    CHECK(printable("abcde", 5) == "abcde");
    CHECK(printable("abcdef", 5) == "abcde...");
    CHECK(printable("aé", 2) == "a...");
    CHECK(printable("aé", 3) == "aé");
    CHECK(printable("🙂🙂", 7) == "🙂...");
    CHECK(printable("\n\n", 7) == "\\x0a...");
    CHECK(printable("\n", 3) == "...");
    CHECK(printable("", 0).empty());
    CHECK(printable("a", 0) == "...");
    for (const auto piece : {"a"sv, "é"sv, "日"sv, "🙂"sv, "\n"sv, "\xff"sv, "\xc2\x85"sv}) {
      std::string text;
      while (text.size() < 1000) text += piece;
      for (std::size_t max = 0; max < 40; ++max) {
        const std::string shown = printable(text, max);
        CHECK(shown.size() <= max + 3);
        CHECK(printable(shown, 1000) == shown);  // no character was split
      }
    }
  }

  TEST_CASE("a shell reads a pasted word as one word") {
    for (const std::string text :
         {"https://vm.example.com/a", "", "a b", "https://h/a;touch$IFS$9marker;b", "it's", "`id`",
          "$(id)", "a&b|c>d<e", "!x", "~", "*", "#", "a=b", "\\", "\"", "''"}) {
      CAPTURE(text);
      const std::string command = "printf %s " + pasted_word(text);
      FILE* shell = ::popen(command.c_str(), "r");
      REQUIRE(shell != nullptr);
      char bytes[100];
      const std::size_t size = std::fread(bytes, 1, sizeof bytes, shell);
      CHECK(::pclose(shell) == 0);
      CHECK(std::string(bytes, size) == text);
    }
    CHECK(pasted_word("https://vm.example.com/a") == "https://vm.example.com/a");
  }

  TEST_CASE("case and white space") {
    CHECK(to_lower("AZaz09-É") == "azaz09-É");
    CHECK(equals_ignoring_case("CF-Ray", "cf-rAY"));
    CHECK_FALSE(equals_ignoring_case("a", "ab"));
    CHECK_FALSE(equals_ignoring_case("ab", "a"));
    CHECK_FALSE(equals_ignoring_case("@", "`"));  // differ in the bit of the case only
    CHECK(is_among("b", {"a", "b"}));
    CHECK_FALSE(is_among("B", {"a", "b"}));
    CHECK(is_among_ignoring_case("B", {"a", "b"}));
    CHECK_FALSE(is_among_ignoring_case("", {"a", "b"}));
    CHECK(trim(" \t a b\t ") == "a b");
    CHECK(trim(" \t").empty());
    CHECK(trim("").empty());
    CHECK(trim("\na\n") == "\na\n");
  }

  TEST_CASE("split keeps empty parts") {
    using Parts = std::vector<std::string_view>;
    CHECK(split("", ',') == Parts{""});
    CHECK(split("a", ',') == Parts{"a"});
    CHECK(split(",a,,b,", ',') == Parts{"", "a", "", "b", ""});
  }

  TEST_CASE("host names") {
    const std::string label63(63, 'a');
    const std::string longest =
        label63 + "." + label63 + "." + label63 + "." + std::string(61, 'a');  // 253 bytes
    for (const std::string& name :
         {std::string("localhost"), std::string("vm.example.com"), std::string("VM.Example.COM"),
          std::string("1and1.com"), std::string("xn--bcher-kva.example"), std::string("a-b.c--d.e"),
          std::string("_dmarc.example.com"), std::string("my_host.example.com"), std::string("a"),
          std::string("127.0.0.1"), std::string("255.255.255.255"), std::string("3com.4x"),
          label63 + ".com", longest}) {
      CAPTURE(name);
      CHECK(is_host_name(name));
    }
    for (const std::string& name :
         {std::string(), std::string("."), std::string("a."), std::string(".a"),
          std::string("a..b"), std::string("-a.com"), std::string("a-.com"), std::string("a.-b"),
          std::string("a b"), std::string("a/b"), std::string("a:1"), std::string("a@b"),
          std::string("a%41"), std::string("a\\b"), std::string("a*b"), std::string("*.a.com"),
          std::string("a\nb"), std::string("a\n"), std::string("a\0b", 3), std::string("a\"b"),
          std::string("$(id)"), std::string("bücher.example"), std::string("::1"),
          std::string("[::1]"), label63 + "a.com", longest + "a",
          // RFC 1123 section 2.1: numbers only are an address, or nothing.
          std::string("256.1.1.1"), std::string("1.2.3"), std::string("127.1"),
          std::string("1.2.3.4.5"), std::string("2130706433"), std::string("01.02.03.04"),
          std::string("example.123"),
          // inet_aton(3), which resolvers ask, takes hexadecimal for numbers, too.
          std::string("1.0x7f"), std::string("0x7f.1"), std::string("0x7F000001"),
          std::string("0X7f"), std::string("example.0xa"), std::string("a.0x")}) {
      CAPTURE(name);
      CHECK_FALSE(is_host_name(name));
    }
  }
}

}  // namespace
}  // namespace mayfly
