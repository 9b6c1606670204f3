#include "cli/terminal/qr_code.hpp"

#include <fmt/core.h>
#include <qrencode.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "access/core/error.hpp"
#include "access/core/on_demand.hpp"

namespace mayfly::cli {
namespace {

constexpr const char* library_name = "libqrencode.so.4";

template <typename Function>
Function* find(const char* name) {
  if (auto* const function = on_demand<Function>(library_name, name)) return function;
  throw Error(ErrorKind::failed, fmt::format("cannot use {}", library_name),
              "install libqrencode 4 (Debian package: libqrencode4)");
}

}  // namespace

bool QrCode::is_dark(int column, int row) const {
  if (column < 0 || row < 0 || column >= width || row >= width) return false;
  return dark[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) +
              static_cast<std::size_t>(column)];
}

QrCode make_qr_code(const std::string& text) {
  const auto encode = find<decltype(::QRcode_encodeString8bit)>("QRcode_encodeString8bit");
  const auto free = find<decltype(::QRcode_free)>("QRcode_free");
  const std::unique_ptr<QRcode, decltype(free)> made(encode(text.c_str(), 0, QR_ECLEVEL_L), free);
  if (!made) throw system_error("cannot make a QR code", errno);
  QrCode code{.width = made->width, .dark = {}};
  const auto modules =
      static_cast<std::size_t>(made->width) * static_cast<std::size_t>(made->width);
  code.dark.reserve(modules);
  // The lowest bit of each is its colour; the others say what it is for.
  for (std::size_t i = 0; i < modules; ++i) code.dark.push_back((made->data[i] & 1) != 0);
  return code;
}

}  // namespace mayfly::cli
