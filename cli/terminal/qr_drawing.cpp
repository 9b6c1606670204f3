#include "cli/terminal/qr_drawing.hpp"

#include <array>
#include <string_view>

namespace mayfly::cli {
namespace {

constexpr int quiet_zone = 4;  // ISO/IEC 18004 section 5.3.8

// By whether the upper (2) and the lower (1) module are in ink.
constexpr std::array<std::string_view, 4> blocks{" ", "\u2584", "\u2580", "\u2588"};

// The palette's black and white are whatever a theme makes of them; these two are not.
constexpr std::string_view black_on_white = "\x1b[38;5;16;48;5;231m", as_before = "\x1b[0m";

}  // namespace

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
