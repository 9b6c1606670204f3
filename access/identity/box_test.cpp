// The box that tokens travel in.
#include <doctest/doctest.h>
#include <sodium.h>

#include "access/core/encoding.hpp"
#include "access/identity/transfer.hpp"

using namespace mayfly;

namespace {

// Runs before main: a wrong digit shows as a box that does not open.
std::string from_hex(std::string_view hex) {
  std::string bytes(hex.size() / 2, '\0');
  sodium_hex2bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), hex.data(),
                 hex.size(), nullptr, nullptr, nullptr);
  return bytes;
}

// D. J. Bernstein, "Cryptography in NaCl" (2009), the running example: sections 2, 4, 5, 8 and 10.
const std::string kAlicePublic =
    from_hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
const Secret kBobSecret(
    from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
const std::string kNonce = from_hex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
const std::string kMessage = from_hex(
    "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffc"
    "e5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb31"
    "0e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde"
    "048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f93776384864"
    "5e0705");
const std::string kBox = from_hex(
    "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce"
    "48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c972"
    "71d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae"
    "90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b3"
    "7973f622a43d14a6599b1f654cb45a74e355a5");

}  // namespace

TEST_CASE("the box of the NaCl paper opens") {
  const auto opened = open_box(kNonce + kBox, kAlicePublic, kBobSecret);
  REQUIRE(opened);
  CHECK(opened->reveal() == kMessage);
}

TEST_CASE("a box with any bit changed does not open") {
  const std::string sealed = kNonce + kBox;
  for (std::size_t i = 0; i < sealed.size(); i += 7) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 4);
    CHECK_FALSE(open_box(changed, kAlicePublic, kBobSecret));
  }
  CHECK_FALSE(open_box(sealed + "x", kAlicePublic, kBobSecret));
  for (std::size_t size = 0; size < sealed.size(); size += 5)
    CHECK_FALSE(open_box(sealed.substr(0, size), kAlicePublic, kBobSecret));
}

TEST_CASE("a sender's key of another length or of low order opens nothing") {
  for (const std::string& sender :
       {std::string(), kAlicePublic.substr(1), kAlicePublic + "x", std::string(32, '\0')})
    CHECK_FALSE(open_box(kNonce + kBox, sender, kBobSecret));
  CHECK_FALSE(open_box(kNonce + kBox, kAlicePublic, Secret()));
}

TEST_CASE("each key pair is a new one") {
  const TransferKey one, two;
  CHECK(base64_decode(one.public_key(), Base64::url).value().size() == 32);
  CHECK(one.public_key() != two.public_key());
}
