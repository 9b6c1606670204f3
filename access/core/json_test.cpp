#include "access/core/json.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace mayfly {
namespace {

using namespace std::string_view_literals;

std::string repeated(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

TEST_SUITE("core/json") {
  TEST_CASE("values of every type") {
    for (const auto text :
         {"null", "true", "-1", "1.5e3", "\"a\"", "[]", "{}", " {\"a\" : [1] }\r\n",
          R"("\u00e9\ud83d\ude42")", R"({"a":{"a":1},"b":{"a":1}})", R"([{"a":1},{"a":1}])"}) {
      CAPTURE(text);
      CHECK(parse_json(text));
    }
    CHECK(parse_json(R"({"a":[1,"x"]})")->at("a").at(1) == "x");
  }

  TEST_CASE("what is not exactly one value") {
    for (const auto text : {""sv,
                            " "sv,
                            "{"sv,
                            "}"sv,
                            "[1,]"sv,
                            "{\"a\"}"sv,
                            "{\"a\":}"sv,
                            "{a:1}"sv,
                            "'a'"sv,
                            "01"sv,
                            "+1"sv,
                            ".5"sv,
                            "1."sv,
                            "NaN"sv,
                            "Infinity"sv,
                            "nul"sv,
                            "{} {}"sv,
                            "{}x"sv,
                            "{},"sv,
                            "1 2"sv,
                            "// c\n1"sv,
                            "/* c */ 1"sv,
                            "unauthorized"sv,
                            "<html></html>"sv,
                            "\"a"sv,
                            "\"a\nb\""sv,
                            "\"\\x\""sv,
                            "\"\\u12\""sv}) {
      CAPTURE(text);
      CHECK_FALSE(parse_json(text));
    }
  }

  TEST_CASE("NUL ends nothing") {
    for (const auto text : {"{}\0"sv, "{}\0garbage"sv, "\0{}"sv, "[1\0]"sv, "\"a\0\""sv, "\0"sv}) {
      CHECK_FALSE(parse_json(text));
    }
    CHECK(parse_json(R"("a\u0000b")") == nlohmann::json("a\0b"sv));
  }

  TEST_CASE("what is not UTF-8") {
    for (const auto text : {"\"\xff\""sv, "\"\xc3\""sv, "\"\xc0\x8a\""sv, "\"\xed\xa0\x80\""sv,
                            R"("\ud83d")"sv, R"("\ude42\ud83d")"sv, "{\"\xff\":1}"sv}) {
      CHECK_FALSE(parse_json(text));
    }
  }

  TEST_CASE("a key is named once, at any depth and however it is spelt") {
    for (const auto text :
         {R"({"a":1,"a":1})", R"({"a":1,"b":2,"\u0061":3})", R"({"x":{"a":1,"a":2}})",
          R"([[{"a":{},"b":[],"a":{}}]])", R"({"a":{"b":1},"a":{"b":1}})", R"({"":1,"":2})"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_json(text));
    }
    CHECK(parse_json(R"({"a":1,"A":2})"));
  }

  TEST_CASE("depth is bounded") {
    CHECK(parse_json(repeated("[", 16) + repeated("]", 16)));
    CHECK_FALSE(parse_json(repeated("[", 17) + repeated("]", 17)));
    CHECK_FALSE(parse_json(repeated("{\"a\":", 17) + "1" + repeated("}", 17)));
    CHECK(parse_json("1", {.max_depth = 0}));
    CHECK_FALSE(parse_json("[]", {.max_depth = 0}));
    CHECK_FALSE(parse_json(repeated("[", 100'000)));
    CHECK_FALSE(parse_json(repeated("[", 100'000) + repeated("]", 100'000)));
    CHECK_FALSE(parse_json(repeated("{\"a\":", 100'000)));
  }

  TEST_CASE("a limit far up is no danger to the stack") {
    CHECK(parse_json(repeated("[", 100'000) + repeated("]", 100'000), {.max_depth = 100'000}));
  }

  TEST_CASE("size is bounded") {
    CHECK(parse_json("[1,2]", {.max_bytes = 5}));
    CHECK_FALSE(parse_json("[1,2]", {.max_bytes = 4}));
  }

  TEST_CASE("string members") {
    const auto object = *parse_json(R"({"s":"x","e":"","n":null,"i":1,"a":["x"]})");
    CHECK(string_member(object, "s") == "x");
    CHECK(string_member(object, "e") == "");
    for (const auto name : {"n", "i", "a", "missing"}) CHECK_FALSE(string_member(object, name));
    for (const auto text : {"[]", "1", "null", "\"s\""}) {
      CHECK_FALSE(string_member(*parse_json(text), "s"));
      CHECK_FALSE(integer_member(*parse_json(text), "s"));
    }
  }

  TEST_CASE("integer members, and numbers that no integer holds") {
    const auto object = *parse_json(
        R"({"zero":0,"neg":-5,"max":9223372036854775807,"min":-9223372036854775808,
            "over":9223372036854775808,"under":-9223372036854775809,"huge":1000000000000000000000000,
            "frac":1.5,"whole":1.0,"exp":1e3,"s":"1","b":true,"n":null})");
    CHECK(integer_member(object, "zero") == 0);
    CHECK(integer_member(object, "neg") == -5);
    CHECK(integer_member(object, "max") == INT64_MAX);
    CHECK(integer_member(object, "min") == INT64_MIN);
    for (const auto name :
         {"over", "under", "huge", "frac", "whole", "exp", "s", "b", "n", "missing"}) {
      CAPTURE(name);
      CHECK_FALSE(integer_member(object, name));
    }
    CHECK_FALSE(parse_json("1e400"));
    CHECK_FALSE(parse_json("-1e400"));
    CHECK_FALSE(parse_json(repeated("9", 1000)));
  }
}

}  // namespace
}  // namespace mayfly
