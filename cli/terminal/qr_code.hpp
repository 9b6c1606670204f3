// Text as a QR code (ISO/IEC 18004) in the characters of a terminal.
#pragma once

#include <string>
#include <vector>

namespace mayfly::cli {

struct QrCode {
  int width = 0;           // in modules, without the quiet zone
  std::vector<bool> dark;  // row by row

  // Returns false outside, where the quiet zone is.
  bool is_dark(int column, int row) const;
};

// Returns the smallest code that holds the text, with the least error correction, since a screen
// has no scratches. Loads libqrencode. Throws Error(failed) without the library, and for a text
// that is too long.
QrCode make_qr_code(const std::string& text);

// terminal: black on white by escape sequences. plain: light modules in ink, for a terminal with
// light text on a dark ground.
enum class QrColours { terminal, plain };

// Returns lines of UTF-8 with the quiet zone; each character holds two modules, one above the
// other.
std::string draw(const QrCode& code, QrColours colours);

struct QrSize {
  int columns, lines;
};
QrSize drawn_size(const QrCode& code);

}  // namespace mayfly::cli
