#include "access/system/descriptor.hpp"

#include <unistd.h>

namespace mayfly {
namespace {

template <typename Call>
bool pass_all(std::string_view bytes, const Call& call) noexcept {
  while (!bytes.empty()) {
    const ssize_t passed = uninterrupted([&] { return call(bytes.data(), bytes.size()); });
    if (passed < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(passed));
  }
  return true;
}

}  // namespace

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
  return pass_all(
      bytes, [&](const char* from, std::size_t size) { return ::write(descriptor, from, size); });
}

bool send_all(int socket, std::string_view bytes) noexcept {
  return pass_all(bytes, [&](const char* from, std::size_t size) {
    return ::send(socket, from, size, MSG_NOSIGNAL);
  });
}

int descriptor_shortage() noexcept {
  const Descriptor one = open_socket({.type = SOCK_DGRAM});
  return !one && (errno == EMFILE || errno == ENFILE) ? errno : 0;
}

}  // namespace mayfly
