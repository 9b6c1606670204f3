#include "access/core/encoding.hpp"

#include <doctest/doctest.h>

namespace mayfly {
namespace {

using namespace std::string_view_literals;

struct Vector {
  std::string_view bytes, padded, unpadded;
};

// RFC 4648 section 10.
constexpr Vector rfc4648[] = {{"", "", ""},
                              {"f", "Zg==", "Zg"},
                              {"fo", "Zm8=", "Zm8"},
                              {"foo", "Zm9v", "Zm9v"},
                              {"foob", "Zm9vYg==", "Zm9vYg"},
                              {"fooba", "Zm9vYmE=", "Zm9vYmE"},
                              {"foobar", "Zm9vYmFy", "Zm9vYmFy"}};

TEST_SUITE("core/encoding") {
  TEST_CASE("the vectors of RFC 4648, both ways") {
    for (const Vector& vector : rfc4648) {
      CAPTURE(vector.bytes);
      for (const Base64 variant : {Base64::standard, Base64::url}) {
        CHECK(base64_encode(vector.bytes, variant) == vector.padded);
        CHECK(base64_decode(vector.padded, variant) == vector.bytes);
      }
      CHECK(base64_encode(vector.bytes, Base64::url_unpadded) == vector.unpadded);
      CHECK(base64_decode(vector.unpadded, Base64::url_unpadded) == vector.bytes);
    }
  }

  TEST_CASE("the alphabets differ in two characters, and neither takes the other's") {
    // printf '\xfb\xff\xfe\x00' | base64
    constexpr auto bytes = "\xfb\xff\xfe\0"sv;
    CHECK(base64_encode(bytes, Base64::standard) == "+//+AA==");
    CHECK(base64_encode(bytes, Base64::url) == "-__-AA==");
    CHECK(base64_decode("+//+AA==", Base64::standard) == bytes);
    CHECK(base64_decode("-__-AA", Base64::url_unpadded) == bytes);
    CHECK_FALSE(base64_decode("-__-AA==", Base64::standard));
    CHECK_FALSE(base64_decode("+//+AA==", Base64::url));
    CHECK_FALSE(base64_decode("+//+AA", Base64::url_unpadded));
  }

  TEST_CASE("padding is there exactly when it must be") {
    for (const auto text : {"Zg", "Zg=", "Zg===", "Zm8", "Zm8==", "Zm9v=", "Zm9v====", "=",
                            "====", "Zg==Zg==", "=Zg=", "Zm9vYg=="}) {
      CAPTURE(text);
      if (text != "Zm9vYg=="sv) CHECK_FALSE(base64_decode(text, Base64::standard));
      if (text != "Zm9vYg=="sv) CHECK_FALSE(base64_decode(text, Base64::url));
      if (text != "Zg"sv && text != "Zm8"sv) CHECK_FALSE(base64_decode(text, Base64::url_unpadded));
    }
  }

  TEST_CASE("bits that no byte holds are zero") {
    for (const auto text : {"Zh==", "Zk==", "Zm9=", "Zm/="}) {
      CAPTURE(text);
      CHECK_FALSE(base64_decode(text, Base64::standard));
    }
    for (const auto text : {"Zh", "Zm9", "Zm-", "Z", "Zm9vZ"}) {
      CAPTURE(text);
      CHECK_FALSE(base64_decode(text, Base64::url_unpadded));
    }
  }

  TEST_CASE("of all bytes only the 64 digits are digits") {
    const std::string both = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    for (int byte = 0; byte < 256; ++byte) {
      CAPTURE(byte);
      const char c = static_cast<char>(byte);
      const std::string last = std::string("AAA") + c, first = c + std::string("AAA");
      const bool standard = (both + "+/").find(c) != std::string::npos;
      const bool url = (both + "-_").find(c) != std::string::npos;
      CHECK(base64_decode(first, Base64::standard).has_value() == standard);
      CHECK(base64_decode(first, Base64::url).has_value() == url);
      CHECK(base64_decode(first, Base64::url_unpadded).has_value() == url);
      CHECK(base64_decode(last, Base64::standard).has_value() == (standard || c == '='));
      CHECK(base64_decode(last, Base64::url).has_value() == (url || c == '='));
      CHECK(base64_decode(last, Base64::url_unpadded).has_value() == url);
    }
  }

  TEST_CASE("nothing else is in it") {
    for (const auto text : {"Zm9v\n"sv, "\nZm9v"sv, " Zm9v"sv, "Zm\n9v"sv, "Zm 9v"sv, "Zm9v\0"sv,
                            "Zm9v\0AAA"sv, "Zm9v."sv, "Zm,v"sv, "Zm9\xc3"sv, "Zg==\n"sv}) {
      CAPTURE(text);
      for (const Base64 variant : {Base64::standard, Base64::url, Base64::url_unpadded}) {
        CHECK_FALSE(base64_decode(text, variant));
      }
    }
  }
}

TEST_CASE("hexadecimal digits are read in either case and written in lower case") {
  CHECK(hex_byte("fFx") == 0xff);
  CHECK(hex_byte("00") == 0);
  for (const char* text : {"", "f", "g0", "0g", "0:", " 1"}) CHECK_FALSE(hex_byte(text));
  CHECK(hex_encode(std::string("\0\x7f\xff", 3)) == "007fff");
}

TEST_CASE("percent-encoding is undone once, and a stray percent sign stays") {
  CHECK(percent_decode("a%2fb%2F%00") == std::string("a/b/\0", 5));
  CHECK(percent_decode("%252f") == "%2f");
  CHECK(percent_decode("100%+%zz%4") == "100%+%zz%4");
  CHECK(percent_decode("a+b%2B", Plus::space) == "a b+");
  CHECK(is_percent_encoded("a%2fb+"));
  CHECK_FALSE(is_percent_encoded("%2"));
  CHECK_FALSE(is_percent_encoded("%%41"));
  CHECK(percent_encode('\xe4') == "%E4");
  CHECK(is_unreserved('~'));
  CHECK_FALSE(is_unreserved('/'));
}

}  // namespace
}  // namespace mayfly
