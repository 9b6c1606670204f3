#include "access/system/descriptor.hpp"

#include <unistd.h>

namespace mayfly {
Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

std::ptrdiff_t read_all(int descriptor, std::span<char> into) noexcept {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const ssize_t got = uninterrupted(
        [&] { return ::read(descriptor, into.data() + filled, into.size() - filled); });
    if (got < 0) return -1;
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return static_cast<std::ptrdiff_t>(filled);
}

bool write_all(int descriptor, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written =
        uninterrupted([&] { return ::write(descriptor, bytes.data(), bytes.size()); });
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace mayfly
