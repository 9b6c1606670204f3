// A QR code in the characters of a terminal: two modules, one above the other, in each.
#pragma once

#include <string>

#include "cli/terminal/qr_code.hpp"

namespace mayfly::cli {

// terminal: black on white by escape sequences, whatever the window's own colours. plain: light
// modules in ink, which is right where text is light on dark.
enum class QrColours { terminal, plain };

// Lines of UTF-8, with the quiet zone that scanners want around it.
std::string draw(const QrCode& code, QrColours colours);

struct QrSize {
  int columns, lines;
};
QrSize drawn_size(const QrCode& code);

}  // namespace mayfly::cli
