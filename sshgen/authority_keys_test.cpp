// Keys that ssh-keygen made, in the forms in which people have them.
#include "sshgen/authority_keys.hpp"

#include <doctest/doctest.h>

#include "access/core/error.hpp"
#include "sshgen/testing/scratch.hpp"

namespace mayfly::sshgen {
namespace {

// Makes a key pair. Returns the path of its private half.
std::string generate(const Scratch& scratch, const std::string& options) {
  const std::string path = scratch.path_of("key");
  output_of("ssh-keygen -q -N '' -C 'open-ssh-ca@cloudflareaccess.org' " + options + " -f " + path);
  return path;
}

std::string refusal(std::string_view text) {
  try {
    parse_authority_keys(text, "the file");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK(!error.hint().empty());
    return error.message();
  }
  return "";
}

}  // namespace

TEST_CASE("authority keys: each type that ssh-keygen makes and mayfly knows") {
  for (const std::string options :
       {"-t ecdsa", "-t ecdsa -b 384", "-t ecdsa -b 521", "-t ed25519", "-t rsa -b 2048"}) {
    CAPTURE(options);
    const Scratch scratch;
    const std::string line = content_of(generate(scratch, options) + ".pub");
    const auto keys = parse_authority_keys("# my CA\r\n\r\n  " + line + "\r\n", "the file");
    REQUIRE(keys.size() == 1);
    CHECK(keys.front().line + "\n" == line);
    CHECK(line.starts_with(keys.front().type + " "));
  }
}

TEST_CASE("authority keys: several, each on a line") {
  const Scratch one, two;
  const std::string first = content_of(generate(one, "-t ecdsa") + ".pub");
  const std::string second = content_of(generate(two, "-t ed25519") + ".pub");
  const auto keys = parse_authority_keys(first + second, "the file");
  REQUIRE(keys.size() == 2);
  CHECK(keys[0].line + "\n" + keys[1].line + "\n" == first + second);
}

TEST_CASE("authority keys: a comment that a terminal would obey is left out") {
  const Scratch scratch;
  const std::string line = content_of(generate(scratch, "-t ecdsa") + ".pub");
  const std::string key = line.substr(0, line.rfind(' '));
  CHECK(parse_authority_keys(key + " \x1b[2J\n", "the file").front().line == key);
}

TEST_CASE("authority keys: a private key is refused in each format of ssh-keygen") {
  for (const std::string options :
       {"-t ecdsa", "-t ed25519", "-t rsa -m PEM", "-t ecdsa -m PKCS8"}) {
    CAPTURE(options);
    const Scratch scratch;
    const std::string path = generate(scratch, options);
    const std::string text = content_of(path);
    CHECK(refusal(text) == "the file holds no key of a CA: it is a private key");
    CHECK(refusal(content_of(path + ".pub") + text) == refusal(text));
  }
}

TEST_CASE("authority keys: what is no public key is refused with its reason") {
  const Scratch scratch;
  const std::string path = generate(scratch, "-t ecdsa");
  const std::string line = content_of(path + ".pub");
  CHECK(refusal(output_of("ssh-keygen -e -m RFC4716 -f " + path)).find("another format") !=
        std::string::npos);
  CHECK(refusal(Authority().sign(line)).find("is a certificate") != std::string::npos);
  CHECK(refusal("cert-authority " + line).find("options") != std::string::npos);
  CHECK(refusal("principals=\"x\" " + line).find("options") != std::string::npos);
  CHECK(refusal(" \n# nothing\n").find("empty") != std::string::npos);
  for (const std::string& text :
       {std::string("ecdsa-sha2-nistp256"), std::string("ssh-ed25519 AAAA"),
        "ssh-ed25519" + line.substr(line.find(' ')), line.substr(0, 100), "<html>\n" + line})
    CHECK(refusal(text).find("no public key") != std::string::npos);
}

}  // namespace mayfly::sshgen
