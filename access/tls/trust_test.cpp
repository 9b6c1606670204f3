#include "access/tls/trust.hpp"

#include <doctest/doctest.h>

#include <array>

#include "access/core/error.hpp"
#include "access/testing/authority.hpp"

using namespace mayfly;
using namespace mayfly::testing;

TEST_CASE("the first hashed directory is trusted, or else the first bundle that exists") {
  const TestAuthority authority;
  authority.run(
      "mkdir plain hashed && cp ca.pem plain/ca.pem && cp ca.pem hashed/ && "
      "openssl rehash hashed");
  const std::string none = authority.path("none"), plain = authority.path("plain"),
                    hashed = authority.path("hashed"), bundle = authority.path("ca.pem");
  const std::array bundles = {none.c_str(), bundle.c_str()};

  const std::array with_hashes = {none.c_str(), plain.c_str(), hashed.c_str()};
  Trust found = find_system_trust(with_hashes, bundles);
  CHECK(found.directory == hashed);
  CHECK(found.file.empty());

  const std::array without = {none.c_str(), plain.c_str()};
  found = find_system_trust(without, bundles);
  CHECK(found.directory.empty());
  CHECK(found.file == bundle);

  found = find_system_trust(without, {});
  CHECK(found.directory.empty());
  CHECK(found.file.empty());
}

TEST_CASE("only the authorities that the user names are trusted, and they must be readable") {
  const TestAuthority authority;
  authority.run("mkdir named");
  ConnectionOptions options;
  options.ca_file = authority.path("ca.pem");
  CHECK(trust_of(options).file == options.ca_file);
  CHECK(trust_of(options).directory.empty());
  options.ca_directory = authority.path("named");
  options.ca_file.clear();
  CHECK(trust_of(options).file.empty());
  CHECK(trust_of(options).directory == options.ca_directory);
  options.ca_file = authority.path("gone.pem");
  try {
    trust_of(options);
    FAIL("there is no such file");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK(error.message().find("gone.pem") != std::string::npos);
  }
}
