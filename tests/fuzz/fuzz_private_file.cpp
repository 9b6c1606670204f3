// A private key's file: PEM, or (first byte 1, 2) what is in a PEM of either kind.
#include "access/core/encoding.hpp"
#include "fuzz.hpp"
#include "property.hpp"
#include "sshgen/keypair.hpp"
#include "sshgen/public_key.hpp"

namespace mayfly::fuzz {
namespace {

using namespace sshgen;

std::string pem(std::string_view label, std::string_view bytes) {
  return std::string("-----BEGIN ").append(label).append("-----\n") +
         base64_encode(bytes, Base64::standard) + "\n-----END " + std::string(label) + "-----\n";
}

std::string file_of(std::string_view input) {
  if (input.starts_with('\1')) return pem("EC PRIVATE KEY", input.substr(1));
  if (input.starts_with('\2')) return pem("OPENSSH PRIVATE KEY", input.substr(1));
  return std::string(input);
}

const Harness harness("private_file", [](std::string_view input) {
  const std::string file = file_of(input);
  const auto blob = public_blob_of_private_file(file);
  if (!blob) return;
  require(is_public_key(*blob), "a private key file has a public key");
  require(public_blob_of_private_file(file + "\n\n") == std::nullopt, "nothing follows it");
});

}  // namespace
}  // namespace mayfly::fuzz
