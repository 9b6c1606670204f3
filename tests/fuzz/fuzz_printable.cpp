// Text from outside made fit to be shown; the first byte is the limit.
#include "access/core/text.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

const Harness harness("printable", [](std::string_view input) {
  Input rest(input);
  const std::size_t limit = rest.byte();
  const std::string_view text = rest.rest();
  require(is_fit_to_show(printable(text, limit), limit + 3), "it is fit to be shown, and bounded");

  const std::string whole = printable(text, 4 * text.size());
  require(is_fit_to_show(whole, 4 * text.size()), "a byte becomes four at most");
  require(printable(whole, whole.size()) == whole, "what is fit to be shown stays as it is");
  require(is_fit_to_show(text, text.size()) == (whole == text), "nothing else is changed");
});

}  // namespace
}  // namespace mayfly::fuzz
