// QR codes as characters: where ink goes. What they say is read by a scanner in the end-to-end
// tests.
#include "cli/terminal/qr_code.hpp"

#include <doctest/doctest.h>

using namespace mayfly::cli;

namespace {

// Three modules wide: a T.
const QrCode tee{.width = 3, .dark = {true, true, true, false, true, false, false, true, false}};

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("qr: a quiet zone of four modules on every side") {
  CHECK(drawn_size(tee).columns == 11);
  CHECK(drawn_size(tee).lines == 6);
  CHECK_FALSE(tee.is_dark(-1, 0));
  CHECK_FALSE(tee.is_dark(3, 0));
  CHECK(tee.is_dark(2, 0));
}

TEST_CASE("qr: light modules in ink where there are no colours") {
  const std::string full = repeated("\u2588", 11) + "\n", side = repeated("\u2588", 4);
  CHECK(draw(tee, QrColours::plain) == full + full + side + "\u2584 \u2584" + side + "\n" + side +
                                           "\u2588\u2584\u2588" + side + "\n" + full + full);
}

TEST_CASE("qr: dark modules in ink on a white ground of our own") {
  const std::string on = "\x1b[38;5;16;48;5;231m", off = "\x1b[0m\n";
  const std::string empty = on + repeated(" ", 11) + off, side = repeated(" ", 4);
  CHECK(draw(tee, QrColours::terminal) == empty + empty + on + side + "\u2580\u2588\u2580" + side +
                                              off + on + side + " \u2580 " + side + off + empty +
                                              empty);
}
