#include "cli/terminal/qr_code.hpp"

#include <fmt/core.h>
#include <qrencode.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "access/core/error.hpp"
#include "access/core/on_demand.hpp"

namespace mayfly::cli {
namespace {

#ifdef MAYFLY_STATIC

#define QRENCODE(function) (&::function)

#else

constexpr const char* library_name = "libqrencode.so.4";

template <typename Function>
Function* find(const char* name) {
  if (auto* const function = on_demand<Function>(library_name, name)) return function;
  throw Error(ErrorKind::failed, fmt::format("cannot use {}", library_name),
              "install libqrencode 4 (Debian package: libqrencode4)");
}

#define QRENCODE(function) find<decltype(::function)>(#function)

#endif

constexpr int quiet_zone = 4;  // ISO/IEC 18004 section 5.3.8

// Indexed by the modules in ink: 2 for the upper one, 1 for the lower one.
constexpr std::array<std::string_view, 4> blocks{" ", "\u2584", "\u2580", "\u2588"};

// Unlike the palette's black and white, no theme changes these two.
constexpr std::string_view black_on_white = "\x1b[38;5;16;48;5;231m", as_before = "\x1b[0m";

}  // namespace

bool QrCode::is_dark(int column, int row) const {
  if (column < 0 || row < 0 || column >= width || row >= width) return false;
  return dark[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) +
              static_cast<std::size_t>(column)];
}

QrCode make_qr_code(const std::string& text) {
  const auto encode = QRENCODE(QRcode_encodeString8bit);
  const auto free = QRENCODE(QRcode_free);
  const std::unique_ptr<QRcode, decltype(free)> made(encode(text.c_str(), 0, QR_ECLEVEL_L), free);
  if (!made) throw system_error("cannot make a QR code", errno);
  QrCode code{.width = made->width, .dark = {}};
  const auto modules =
      static_cast<std::size_t>(made->width) * static_cast<std::size_t>(made->width);
  code.dark.reserve(modules);
  // The lowest bit of a module is its colour.
  for (std::size_t i = 0; i < modules; ++i) code.dark.push_back((made->data[i] & 1) != 0);
  return code;
}

QrSize drawn_size(const QrCode& code) {
  const int modules = code.width + 2 * quiet_zone;
  return {.columns = modules, .lines = (modules + 1) / 2};
}

std::string draw(const QrCode& code, QrColours colours) {
  const bool dark_is_ink = colours == QrColours::terminal;
  const QrSize size = drawn_size(code);
  std::string text;
  for (int line = 0; line < size.lines; ++line) {
    const int upper = 2 * line - quiet_zone;
    if (dark_is_ink) text += black_on_white;
    for (int column = -quiet_zone; column < size.columns - quiet_zone; ++column) {
      const auto ink = [&](int row) { return code.is_dark(column, row) == dark_is_ink ? 1U : 0U; };
      text += blocks[2 * ink(upper) + ink(upper + 1)];
    }
    if (dark_is_ink) text += as_before;
    text += '\n';
  }
  return text;
}

}  // namespace mayfly::cli
