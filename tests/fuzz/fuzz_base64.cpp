// Base64 in its three spellings.
#include "access/core/encoding.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

const Harness harness("base64", [](std::string_view input) {
  for (const Base64 variant : {Base64::standard, Base64::url, Base64::url_unpadded}) {
    if (const auto bytes = base64_decode(input, variant))
      require(base64_encode(*bytes, variant) == input, "bytes have one encoding");
    require(base64_decode(base64_encode(input, variant), variant) == input,
            "what was encoded decodes to the same");
  }
});

}  // namespace
}  // namespace mayfly::fuzz
