// Flags as a command repeats them for another.
#include "cli/flags/network_flags.hpp"

#include <doctest/doctest.h>

using namespace mayfly::cli;

TEST_CASE("network flags: paths are repeated absolute, URIs of tokens as they are") {
  NetworkFlags flags;
  flags.identity.certificate = "PKCS11:token=robots";  // RFC 3986 section 3.1: a scheme has no case
  flags.identity.key = "pkcs11:token=robots;object=key";
  flags.trust.ca_file = "/etc/ca.pem";
  CHECK(repeated_flags(flags) == std::vector<std::string>{"--cert", flags.identity.certificate,
                                                          "--key", flags.identity.key, "--cacert",
                                                          "/etc/ca.pem"});
}

TEST_CASE("network flags: the id of a service token is repeated without what was copied with it") {
  NetworkFlags flags;
  flags.identity.service_token_id = "CF-Access-Client-Id: ci.access\r";
  CHECK(repeated_flags(flags) == std::vector<std::string>{"--service-token-id", "ci.access"});
}
