// Reads and writes the SSH wire format (RFC 4251 section 5) within bounds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "access/core/secret.hpp"

namespace mayfly::sshgen {

// Checks the bounds of every read. After the first failure ok() is false and every read returns 0
// or "".
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t byte();
  std::uint32_t uint32();
  std::uint64_t uint64();
  std::string_view string();
  // Returns the magnitude of an mpint, big-endian without leading zeros; "" for zero. Fails for
  // negative numbers and superfluous leading zeros.
  std::string_view mpint();
  std::string_view take(std::size_t count);

  bool ok() const noexcept { return ok_; }
  bool at_end() const noexcept { return rest_.empty(); }
  // Returns whether every byte was read and no read failed.
  bool complete() const noexcept { return ok_ && rest_.empty(); }
  // Returns the bytes that have not been read yet.
  std::string_view rest() const noexcept { return rest_; }

 private:
  std::string_view fail();

  std::string_view rest_;
  bool ok_ = true;
};

// Wipes its buffer when it grows and at its end, since private keys pass through it.
class WireWriter {
 public:
  WireWriter() = default;
  WireWriter(const WireWriter&) = delete;
  WireWriter& operator=(const WireWriter&) = delete;
  ~WireWriter() { wipe(bytes_); }

  WireWriter& byte(std::uint8_t value);
  WireWriter& uint32(std::uint32_t value);
  WireWriter& uint64(std::uint64_t value);
  WireWriter& string(std::string_view value);
  WireWriter& mpint(std::string_view big_endian_magnitude);
  WireWriter& raw(std::string_view bytes);

  const std::string& bytes() const noexcept { return bytes_; }
  // Moves the bytes out.
  Secret secret() { return Secret(std::exchange(bytes_, {})); }

 private:
  std::string bytes_;
};

}  // namespace mayfly::sshgen
