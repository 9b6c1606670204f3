// The mpint table is the one of RFC 4251 section 5.
#include "sshgen/wire.hpp"

#include <doctest/doctest.h>

namespace mayfly::sshgen {
namespace {

using namespace std::string_view_literals;

struct Mpint {
  std::string_view magnitude;
  std::string_view wire;
};

constexpr Mpint mpints[] = {
    {""sv, "\0\0\0\0"sv},
    {"\x09\xa3\x78\xf9\xb2\xe3\x32\xa7"sv, "\0\0\0\x08\x09\xa3\x78\xf9\xb2\xe3\x32\xa7"sv},
    {"\x80"sv, "\0\0\0\x02\0\x80"sv},
};

TEST_CASE("wire: mpint as in RFC 4251, both ways") {
  for (const auto& [magnitude, wire] : mpints) {
    WireWriter writer;
    writer.mpint(magnitude);
    CHECK(writer.bytes() == wire);
    WireReader reader(wire);
    CHECK(reader.mpint() == magnitude);
    CHECK(reader.complete());
  }
}

TEST_CASE("wire: leading zeros of a magnitude are dropped when written") {
  WireWriter writer;
  writer.mpint("\0\0\x80"sv);
  CHECK(writer.bytes() == "\0\0\0\x02\0\x80"sv);
}

TEST_CASE("wire: negative and padded mpints are failures") {
  for (const auto wire : {"\0\0\0\x02\xed\xcc"sv, "\0\0\0\x02\0\x7f"sv, "\0\0\0\x01\0"sv,
                          "\0\0\0\x03\0\0\x80"sv, "\0\0\0\x02\x80"sv}) {
    WireReader reader(wire);
    CHECK(reader.mpint().empty());
    CHECK_FALSE(reader.ok());
  }
}

TEST_CASE("wire: reads what it wrote") {
  WireWriter writer;
  writer.byte(7).uint32(0xfedcba98).uint64(0x0123456789abcdef).string("a\0b"sv).raw("tail");
  WireReader reader(writer.bytes());
  CHECK(reader.byte() == 7);
  CHECK(reader.uint32() == 0xfedcba98);
  CHECK(reader.uint64() == 0x0123456789abcdef);
  CHECK(reader.string() == "a\0b"sv);
  CHECK_FALSE(reader.complete());
  CHECK(reader.take(4) == "tail");
  CHECK(reader.complete());
}

TEST_CASE("wire: after the first failure everything is empty") {
  WireReader reader(
      "\0\0\0\x05"
      "abcd"sv);
  CHECK(reader.string().empty());
  CHECK_FALSE(reader.ok());
  CHECK(reader.at_end());
  CHECK(reader.byte() == 0);
  CHECK(reader.uint64() == 0);
  CHECK_FALSE(reader.complete());
}

TEST_CASE("wire: a length near 4 GiB does not wrap") {
  WireReader reader(
      "\xff\xff\xff\xff"
      "abcd"sv);
  CHECK(reader.string().empty());
  CHECK_FALSE(reader.ok());
}

TEST_CASE("wire: a secret taken out of the writer leaves nothing behind") {
  WireWriter writer;
  writer.raw("a private key of some length that is on the heap");
  CHECK(writer.secret().reveal() == "a private key of some length that is on the heap");
  CHECK(writer.bytes().empty());
}

}  // namespace
}  // namespace mayfly::sshgen
