// Judged by OpenSSH and OpenSSL: ssh-keygen -y, ssh-keygen -Y sign, openssl ec.
#include "sshgen/keypair.hpp"

#include <doctest/doctest.h>

#include "access/core/encoding.hpp"
#include "sshgen/testing/scratch.hpp"

namespace mayfly::sshgen {
namespace {

constexpr KeyType key_types[] = {KeyType::ecdsa, KeyType::ed25519};

TEST_CASE("keypair: ssh-keygen -y prints our public line from our private file") {
  for (const auto type : key_types) {
    const Scratch scratch;
    const auto pair = generate_key_pair(type);
    const auto file = scratch.file("key", pair.private_file.reveal());
    CHECK(output_of("ssh-keygen -y -f " + file) == pair.public_line());
  }
}

TEST_CASE("keypair: ssh-keygen signs with our private file and verifies with our public line") {
  for (const auto type : key_types) {
    const Scratch scratch;
    const auto pair = generate_key_pair(type);
    const auto key = scratch.file("key", pair.private_file.reveal());
    scratch.file("key.pub", pair.public_line());
    const auto text = scratch.file("text", "words");
    const auto allowed = scratch.file("allowed", "jdoe " + pair.public_line());
    output_of("ssh-keygen -q -Y sign -n file -f " + key + " " + text + " 2>/dev/null");
    output_of("ssh-keygen -q -Y verify -n file -I jdoe -f " + allowed + " -s " + text + ".sig < " +
              text);
  }
}

TEST_CASE("keypair: the ECDSA file is what OpenSSL writes for the same key") {
  const Scratch scratch;
  const auto pair = generate_key_pair(KeyType::ecdsa);
  const auto file = scratch.file("key", pair.private_file.reveal());
  CHECK(output_of("openssl ec -in " + file + " 2>/dev/null") == pair.private_file.reveal());
}

TEST_CASE("keypair: two key pairs are never the same") {
  for (const auto type : key_types)
    CHECK(generate_key_pair(type).public_blob != generate_key_pair(type).public_blob);
}

TEST_CASE("keypair: our files carry their public blob") {
  for (const auto type : key_types) {
    const auto pair = generate_key_pair(type);
    CHECK(public_blob_of_private_file(pair.private_file.reveal()) == pair.public_blob);
    CHECK(public_blob_of_line(pair.public_line()) == pair.public_blob);
  }
}

TEST_CASE("keypair: files of ssh-keygen and openssl are read") {
  const Scratch scratch;
  const auto key = scratch.path_of("key");
  SUBCASE("Ed25519 with a comment, by ssh-keygen") {
    output_of("ssh-keygen -q -t ed25519 -N '' -C 'a comment' -f " + key);
  }
  SUBCASE("SEC 1, by ssh-keygen") {
    output_of("ssh-keygen -q -t ecdsa -b 256 -m PEM -N '' -f " + key);
  }
  SUBCASE("SEC 1, by openssl") {
    output_of("umask 077; openssl ecparam -name prime256v1 -genkey -noout -out " + key);
    scratch.file("key.pub", output_of("ssh-keygen -y -f " + key));
  }
  const auto blob = public_blob_of_private_file(content_of(key));
  REQUIRE(blob);
  CHECK(blob == public_blob_of_line(content_of(key + ".pub")));
}

TEST_CASE("keypair: private key files of other formats are refused") {
  const Scratch scratch;
  const auto key = scratch.path_of("key");
  SUBCASE("encrypted") {
    output_of("ssh-keygen -q -t ed25519 -N secret -f " + key);
  }
  SUBCASE("encrypted SEC 1") {
    output_of("ssh-keygen -q -t ecdsa -m PEM -N secret -f " + key);
  }
  SUBCASE("P-384") {
    output_of("ssh-keygen -q -t ecdsa -b 384 -m PEM -N '' -f " + key);
  }
  SUBCASE("RSA") {
    output_of("ssh-keygen -q -t rsa -b 1024 -N '' -f " + key);
  }
  SUBCASE("ECDSA in OpenSSH's format") {
    output_of("ssh-keygen -q -t ecdsa -N '' -f " + key);
  }
  SUBCASE("PKCS #8") {
    output_of("openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out " + key +
              " 2>/dev/null");
  }
  CHECK_FALSE(public_blob_of_private_file(content_of(key)));
}

TEST_CASE("keypair: a truncated private key file is refused; only its last line feed may be absent") {
  for (const auto type : key_types) {
    const auto pair = generate_key_pair(type);
    const auto file = pair.private_file.reveal();
    for (std::size_t size = 0; size + 1 < file.size(); ++size)
      CHECK_FALSE(public_blob_of_private_file(file.substr(0, size)));
    CHECK(public_blob_of_private_file(file.substr(0, file.size() - 1)));
    CHECK_FALSE(public_blob_of_private_file(std::string(file) + "\n"));
    CHECK_FALSE(public_blob_of_private_file("\n" + std::string(file)));
  }
}

TEST_CASE("keypair: no flipped byte crashes the reader, and the public blob is never another's") {
  for (const auto type : key_types) {
    const auto pair = generate_key_pair(type);
    std::string file(pair.private_file.reveal());
    for (auto& c : file) {
      c = static_cast<char>(c ^ 0x01);
      const auto blob = public_blob_of_private_file(file);
      if (blob) CHECK(blob->size() == pair.public_blob.size());
      c = static_cast<char>(c ^ 0x01);
    }
  }
}

TEST_CASE("keypair: an Ed25519 file whose halves differ is refused") {
  const auto pair = generate_key_pair(KeyType::ed25519);
  const auto other = generate_key_pair(KeyType::ed25519);
  const auto body = [](const Secret& file) {
    std::string text;
    const std::string_view content = file.reveal();
    const auto from = content.find('\n'), to = content.rfind("\n-----END");
    for (const char c : content.substr(from, to - from))
      if (c != '\n') text += c;
    return base64_decode(text, Base64::standard).value();
  };
  auto mixed = body(pair.private_file);
  const auto point = pair.public_blob.substr(pair.public_blob.size() - 32);
  mixed.replace(mixed.find(point), 32, other.public_blob.substr(other.public_blob.size() - 32));
  CHECK_FALSE(public_blob_of_private_file("-----BEGIN OPENSSH PRIVATE KEY-----\n" +
                                          base64_encode(mixed, Base64::standard) +
                                          "\n-----END OPENSSH PRIVATE KEY-----\n"));
}

TEST_CASE("keypair: lines that are not public keys are refused") {
  const auto line = generate_key_pair(KeyType::ecdsa).public_line();
  const auto body = line.substr(0, line.size() - 1);
  CHECK(public_blob_of_line(body));
  CHECK(public_blob_of_line(body + " a comment\n"));
  for (const auto& bad :
       {std::string(), std::string("\n"), std::string("ecdsa-sha2-nistp256"),
        std::string("ecdsa-sha2-nistp256 "), "ssh-ed25519" + body.substr(body.find(' ')),
        " " + body, body + "\n\n", body + "\r\n", body + "\n" + body + "\n", body + "=",
        body.substr(0, body.size() - 1), body + " \x1b[31m"})
    CHECK_FALSE(public_blob_of_line(bad));
}

}  // namespace
}  // namespace mayfly::sshgen
