#include "access/core/secret.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <memory>
#include <new>
#include <ostream>
#include <type_traits>

namespace mayfly {
namespace {

using namespace std::string_view_literals;

static_assert(!fmt::is_formattable<Secret>::value);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>);

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!Streamable<Secret>);

// Short enough to stand inside the object, where its memory can be looked at.
constexpr auto short_text = "hunter2-hunter2"sv;
constexpr auto long_text =
    "a secret that is too long to stand inside of the string object itself"sv;

// Memory of a Secret that outlives it; volatile, so that the compiler looks at it, too.
struct Memory {
  alignas(Secret) unsigned char bytes[sizeof(Secret)] = {};

  bool holds(std::string_view text) const {
    std::string copy;
    for (const volatile unsigned char& byte : bytes) copy += static_cast<char>(byte);
    return copy.find(text) != std::string::npos;
  }
};

TEST_SUITE("core/secret") {
  TEST_CASE("nothing stays after destruction") {
    Memory memory;
    auto* secret = new (memory.bytes) Secret(short_text);
    REQUIRE(memory.holds(short_text));
    std::destroy_at(secret);
    CHECK_FALSE(memory.holds(short_text.substr(1, 6)));
  }

  TEST_CASE("nothing stays where it was moved from") {
    Memory memory;
    auto* from = new (memory.bytes) Secret(short_text);
    const Secret to(std::move(*from));
    CHECK(to.reveal() == short_text);
    CHECK(from->empty());
    CHECK_FALSE(memory.holds(short_text.substr(1, 6)));
    std::destroy_at(from);
  }

  TEST_CASE("nothing stays of what was replaced") {
    Memory memory;
    auto* secret = new (memory.bytes) Secret(short_text);
    *secret = Secret("x"sv);
    CHECK(secret->reveal() == "x");
    CHECK_FALSE(memory.holds(short_text.substr(2, 6)));
    std::destroy_at(secret);
  }

  TEST_CASE("wipe() clears all of the memory") {
    for (const auto text : {short_text, long_text}) {
      std::string copy(text);
      copy.resize(4);  // what is behind the end is wiped as well
      const volatile char* bytes = copy.data();
      wipe(copy);
      CHECK(copy.empty());
      REQUIRE((bytes == copy.data()));
      for (std::size_t i = 0; i < text.size(); ++i) CHECK(bytes[i] == '\0');
    }
    std::string empty;
    wipe(empty);
    CHECK(empty.empty());
  }

  TEST_CASE("copies, moves and compares as a value") {
    for (const auto text : {short_text, long_text, ""sv, "a\0b"sv}) {
      const Secret a(text), b{std::string(text)};
      Secret c(a);
      CHECK(a == b);
      CHECK(a == c);
      CHECK(c.reveal() == text);
      CHECK(c.size() == text.size());
      CHECK(c.empty() == text.empty());
      Secret d;
      d = std::move(c);
      CHECK(d == a);
      c = d;
      CHECK(c == a);
      c = *&c;
      CHECK(c == a);
    }
    CHECK_FALSE(Secret("a"sv) == Secret("b"sv));
    CHECK_FALSE(Secret("a"sv) == Secret("aa"sv));
    CHECK_FALSE(Secret("a"sv) == Secret());
    CHECK(std::string(Secret("abc"sv).c_str()) == "abc");
  }
}

}  // namespace
}  // namespace mayfly
