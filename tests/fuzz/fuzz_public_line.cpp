// The line of a public key.
#include "access/core/encoding.hpp"
#include "access/core/text.hpp"
#include "fuzz.hpp"
#include "property.hpp"
#include "sshgen/keypair.hpp"
#include "sshgen/public_key.hpp"
#include "sshgen/wire.hpp"

namespace mayfly::fuzz {
namespace {

using namespace sshgen;

const Harness harness("public_line", [](std::string_view input) {
  // Its blob alone is read, too: an agent lists it, a certificate holds it.
  if (is_public_key(input)) require(input.size() < 5000, "a key is bounded");
  const auto blob = public_blob_of_line(input);
  if (!blob) return;
  require(input.find_first_of(std::string_view("\n\0", 2)) >= input.size() - 1, "it is one line");
  const auto words = split(input.ends_with('\n') ? input.substr(0, input.size() - 1) : input, ' ');
  require(words.size() >= 2 && base64_encode(*blob, Base64::standard) == words[1],
          "the second word is the blob");
  require(WireReader(*blob).string() == words[0], "the first word is its type");
});

}  // namespace
}  // namespace mayfly::fuzz
