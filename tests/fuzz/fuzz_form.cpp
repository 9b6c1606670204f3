// Form encoding of query strings.
#include "access/core/url.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

const Harness harness("form", [](std::string_view input) {
  const std::string encoded = form_encode(input);
  require(encoded.find_first_of("&=#? \r\n") == std::string::npos, "a value stays one value");
  require(query_value("a=b&n=" + encoded + "&n=c", "n") == input,
          "what was encoded decodes to the same");
  Input lines(input);
  const auto name = lines.line();
  require(query_value(lines.rest(), name).size() <= lines.rest().size(), "decoding adds nothing");
});

}  // namespace
}  // namespace mayfly::fuzz
