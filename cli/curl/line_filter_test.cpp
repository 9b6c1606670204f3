#include "cli/curl/line_filter.hpp"

#include <doctest/doctest.h>

namespace mayfly::cli {
namespace {

std::string filtered(std::string_view text, std::size_t piece) {
  LineFilter filter("curl: (47) ");
  std::string shown;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
    shown += filter.next(text.substr(0, piece));
  return shown + filter.rest();
}

TEST_CASE("line_filter: lines with the beginning are left out, in pieces of any size") {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
    CAPTURE(piece);
    CHECK(filtered("* a\ncurl: (47) Maximum (0)\n* b\n", piece) == "* a\n* b\n");
    CHECK(filtered("curl: (47) Maximum\ncurl: (47) again", piece).empty());
    CHECK(filtered("\n\ncurl: (47) x\n", piece) == "\n\n");
    CHECK(filtered("curl: (6) no host\n a curl: (47) x\ncurl: (4", piece) ==
          "curl: (6) no host\n a curl: (47) x\ncurl: (4");
  }
}

TEST_CASE("line_filter: without a beginning nothing is left out") {
  LineFilter filter("");
  CHECK(filter.next("a\n\nb") == "a\n\nb");
  CHECK(filter.rest().empty());
}

}  // namespace
}  // namespace mayfly::cli
