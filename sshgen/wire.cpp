#include "sshgen/wire.hpp"

#include <algorithm>

namespace mayfly::sshgen {
namespace {

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string_view without_leading_zeros(std::string_view magnitude) {
  return magnitude.substr(std::min(magnitude.find_first_not_of('\0'), magnitude.size()));
}

bool high_bit(std::string_view magnitude) {
  return !magnitude.empty() && (static_cast<unsigned char>(magnitude[0]) & 0x80) != 0;
}

}  // namespace

std::string_view WireReader::fail() {
  ok_ = false;
  rest_ = {};
  return {};
}

std::string_view WireReader::take(std::size_t count) {
  if (count > rest_.size()) return fail();
  const auto taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::uint8_t WireReader::byte() {
  return static_cast<std::uint8_t>(big_endian(take(1)));
}

std::uint32_t WireReader::uint32() {
  return static_cast<std::uint32_t>(big_endian(take(4)));
}

std::uint64_t WireReader::uint64() {
  return big_endian(take(8));
}

std::string_view WireReader::string() {
  const auto size = uint32();
  return take(size);
}

std::string_view WireReader::mpint() {
  const auto bytes = string();
  if (high_bit(bytes)) return fail();
  const auto magnitude = without_leading_zeros(bytes);
  const std::size_t sign_byte = high_bit(magnitude) ? 1 : 0;
  if (bytes.size() != magnitude.size() + sign_byte) return fail();
  return magnitude;
}

WireWriter& WireWriter::raw(std::string_view bytes) {
  const auto needed = bytes_.size() + bytes.size();
  if (needed > bytes_.capacity()) {
    std::string larger;
    larger.reserve(std::max<std::size_t>(2 * needed, 256));
    larger = bytes_;
    wipe(bytes_);
    bytes_ = std::move(larger);
  }
  bytes_ += bytes;
  return *this;
}

WireWriter& WireWriter::byte(std::uint8_t value) {
  const char byte = static_cast<char>(value);
  return raw({&byte, 1});
}

WireWriter& WireWriter::uint32(std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) byte(static_cast<std::uint8_t>(value >> shift));
  return *this;
}

WireWriter& WireWriter::uint64(std::uint64_t value) {
  return uint32(static_cast<std::uint32_t>(value >> 32)).uint32(static_cast<std::uint32_t>(value));
}

WireWriter& WireWriter::string(std::string_view value) {
  return uint32(static_cast<std::uint32_t>(value.size())).raw(value);
}

WireWriter& WireWriter::mpint(std::string_view big_endian_magnitude) {
  const auto magnitude = without_leading_zeros(big_endian_magnitude);
  if (!high_bit(magnitude)) return string(magnitude);
  // A leading zero keeps the number positive.
  return uint32(static_cast<std::uint32_t>(magnitude.size() + 1)).byte(0).raw(magnitude);
}

}  // namespace mayfly::sshgen
