// Text as a QR code (ISO/IEC 18004), by libqrencode, which is loaded when it is first wanted.
#pragma once

#include <string>
#include <vector>

namespace mayfly::cli {

struct QrCode {
  int width = 0;           // in modules, without the quiet zone
  std::vector<bool> dark;  // row by row

  // Outside there is the quiet zone, which is light.
  bool is_dark(int column, int row) const;
};

// The smallest that holds the text, with the least error correction: a screen has no scratches.
// Throws Error(failed) without the library, and for a text that no QR code holds.
QrCode make_qr_code(const std::string& text);

}  // namespace mayfly::cli
