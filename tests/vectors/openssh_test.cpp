// OpenSSH: the public keys and certificates of the tests of its library.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "access/core/encoding.hpp"
#include "access/core/text.hpp"
#include "sshgen/certificate.hpp"
#include "sshgen/public_key.hpp"
#include "tests/vectors/vectors.hpp"

TEST_CASE("vectors: OpenSSH, public keys and certificates") {
  vectors::Verdicts verdicts("openssh");
  for (const nlohmann::json& key : vectors::data("openssh_keys")) {
    const std::string name = key[0], line = key[1];
    const auto words = mayfly::split(line, ' ');
    const auto blob = mayfly::base64_decode(words.at(1), mayfly::Base64::standard);
    REQUIRE(blob);
    bool is_taken = false;
    if (name.ends_with("-cert.pub")) {
      const auto certificate = mayfly::sshgen::parse_certificate(line);
      is_taken = certificate && certificate->type == words.at(0) &&
                 mayfly::sshgen::signature_verifies(*certificate);
    } else {
      is_taken = mayfly::sshgen::is_public_key(*blob);
    }
    verdicts.judge(name, is_taken);
  }
  verdicts.finish(22);
}
