#include "access/core/secret.hpp"

#include <sodium.h>

namespace mayfly {

void wipe(std::string& text) noexcept {
  text.resize(text.capacity());  // a longer text may have stood there before
  sodium_memzero(text.data(), text.size());
  text.clear();
}

void wipe(void* bytes, std::size_t size) noexcept {
  sodium_memzero(bytes, size);
}

Secret::Secret(std::string value) : value_(value) {
  wipe(value);
}
Secret::Secret(std::string_view value) : value_(value) {}
Secret::Secret(const Secret& other) = default;

// A moved-from short string keeps its bytes in place, so they are wiped there.
Secret::Secret(Secret&& other) noexcept : value_(std::move(other.value_)) {
  wipe(other.value_);
}

// Not by swap(): of a short string it leaves what the shorter one does not cover.
Secret& Secret::operator=(Secret other) noexcept {
  wipe(value_);
  value_ = std::move(other.value_);
  return *this;
}

Secret::~Secret() {
  wipe(value_);
}

bool operator==(const Secret& a, const Secret& b) noexcept {
  return a.size() == b.size() && sodium_memcmp(a.value_.data(), b.value_.data(), a.size()) == 0;
}

}  // namespace mayfly
