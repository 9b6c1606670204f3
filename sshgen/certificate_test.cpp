// Certificates come from ssh-keygen -s, and what we read in them is compared with ssh-keygen -L.
#include "sshgen/certificate.hpp"

#include <doctest/doctest.h>
#include <fmt/chrono.h>
#include <fmt/core.h>

#include "access/core/encoding.hpp"
#include "sshgen/keypair.hpp"
#include "sshgen/testing/scratch.hpp"
#include "sshgen/wire.hpp"

namespace mayfly::sshgen {
namespace {

std::chrono::sys_seconds present() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::string flipped(std::string blob, std::size_t at) {
  blob[at] = static_cast<char>(blob[at] ^ 0x01);
  return blob;
}

std::string public_line_of(const std::string& ssh_keygen_options) {
  const Scratch scratch;
  output_of("ssh-keygen -q -N '' -C '' " + ssh_keygen_options + " -f " + scratch.path_of("key"));
  return content_of(scratch.path_of("key.pub"));
}

// In the local time that ssh-keygen -L prints when TZ is UTC.
std::string utc(std::uint64_t seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

TEST_CASE("certificate: read as ssh-keygen -L reads it") {
  const Scratch scratch;
  const Authority authority;
  const auto pair = generate_key_pair(KeyType::ecdsa);
  const auto line = authority.sign(pair.public_line(),
                                   "-I 'jdoe@example.com' -z 18446744073709551615 -n jdoe,root "
                                   "-V -5m:+1h -O force-command=id -O source-address=10.0.0.0/8");
  const auto certificate = parse_certificate(line);
  REQUIRE(certificate);
  const auto listing = output_of("TZ=UTC ssh-keygen -L -f " + scratch.file("key-cert.pub", line));
  const auto listed = [&](const std::string& text) {
    INFO(listing);
    INFO(text);
    return listing.find(text) != std::string::npos;
  };
  CHECK(listed("Type: " + certificate->type + " user certificate\n"));
  CHECK(listed("Key ID: \"" + certificate->key_id + "\"\n"));
  CHECK(listed(fmt::format("Serial: {}\n", certificate->serial)));
  CHECK(listed(fmt::format("Valid: from {} to {}\n", utc(certificate->valid_after),
                           utc(certificate->valid_before))));
  for (const auto& principal : certificate->principals)
    CHECK(listed("                " + principal + "\n"));
  for (const auto& option : certificate->critical_options)
    CHECK(listed("                " + option + " "));
  CHECK(certificate->role == 1);
  CHECK(certificate->principals == std::vector<std::string>{"jdoe", "root"});
  CHECK(certificate->critical_options ==
        std::vector<std::string>{"force-command", "source-address"});
  CHECK(certificate->certified_key == pair.public_blob);
}

TEST_CASE("certificate: every kind of key under every kind of authority") {
  constexpr const char* kinds[] = {"-t rsa -b 2048", "-t ecdsa -b 256", "-t ecdsa -b 384",
                                   "-t ecdsa -b 521", "-t ed25519"};
  std::vector<std::string> public_lines;
  for (const auto* kind : kinds) public_lines.push_back(public_line_of(kind));
  for (const auto* kind : kinds) {
    const Authority authority(kind);
    for (const auto& public_line : public_lines) {
      CAPTURE(kind);
      CAPTURE(public_line);
      const auto certificate = parse_certificate(authority.sign(public_line));
      REQUIRE(certificate);
      CHECK(signature_verifies(*certificate));
      CHECK_FALSE(objection_to(*certificate, *public_blob_of_line(public_line), present()));
    }
  }
}

TEST_CASE("certificate: of an RSA authority's signatures only those with SHA-2 verify") {
  const Authority authority("-t rsa -b 2048");
  const auto pair = generate_key_pair(KeyType::ed25519);
  const auto verifies_with = [&](const std::string& algorithm) {
    const auto line = authority.sign(pair.public_line(), "-I id -n jdoe -t " + algorithm);
    return signature_verifies(parse_certificate(line).value());
  };
  CHECK(verifies_with("rsa-sha2-256"));
  CHECK(verifies_with("rsa-sha2-512"));
  CHECK_FALSE(verifies_with("ssh-rsa"));
}

TEST_CASE("certificate: a truncated certificate is refused, wherever it is cut") {
  for (const auto* kind : {"-t rsa -b 2048", "-t ecdsa", "-t ed25519"}) {
    const auto pair = generate_key_pair(KeyType::ecdsa);
    const auto line = Authority(kind).sign(pair.public_line(), "-I id -n a,b -O force-command=id");
    const auto blob = parse_certificate(line).value().blob;
    for (std::size_t size = 0; size < blob.size(); ++size)
      CHECK_FALSE(parse_certificate_blob(blob.substr(0, size)));
    CHECK_FALSE(parse_certificate_blob(blob + '\0'));
    for (std::size_t size = 0; size < line.find(' ', line.find(' ') + 1); ++size)
      CHECK_FALSE(parse_certificate(line.substr(0, size)));
  }
}

TEST_CASE("certificate: with any byte flipped it is refused, or its signature does not verify") {
  for (const auto* kind : {"-t rsa -b 2048", "-t ecdsa -b 521", "-t ed25519"}) {
    const auto pair = generate_key_pair(KeyType::ed25519);
    const auto line = Authority(kind).sign(pair.public_line(), "-I id -n a,b -O force-command=id");
    const auto blob = parse_certificate(line).value().blob;
    for (std::size_t at = 0; at < blob.size(); ++at) {
      const auto certificate = parse_certificate_blob(flipped(blob, at));
      CAPTURE(at);
      CHECK_FALSE((certificate && signature_verifies(*certificate)));
    }
  }
}

TEST_CASE("certificate: lines without a certificate are refused") {
  const auto pair = generate_key_pair(KeyType::ecdsa);
  const auto line = Authority().sign(pair.public_line());
  REQUIRE(parse_certificate(line));
  for (const auto& bad : {pair.public_line(), line + line, line + "\n", "\n" + line,
                          "# words\n" + line, line.substr(0, 30), std::string(200000, 'A')})
    CHECK_FALSE(parse_certificate(bad));
}

// A public key line of a type whose private key needs hardware, or a newer OpenSSH
// (PROTOCOL.u2f; sshkey.c of OpenSSH 10.3).
std::string line_of(std::initializer_list<std::string> strings) {
  WireWriter blob;
  for (const auto& one : strings) blob.string(one);
  return line_of_blob(blob.bytes());
}

std::string security_key() {
  return line_of({"sk-ssh-ed25519@openssh.com", std::string(32, 'p'), "ssh:"});
}

std::string post_quantum_key() {
  return line_of({"ssh-mldsa44-ed25519@openssh.com", std::string(1312 + 32, 'q')});
}

// ssh-keygen signs the public key of a FIDO token as every other one.
TEST_CASE("certificate: a key of a type that is not known is passed over by the wire format") {
  const auto line = Authority().sign(security_key(), "-I id -n jdoe -V -5m:+1h");
  REQUIRE(line.starts_with("sk-ssh-ed25519-cert-v01@openssh.com "));
  const auto certificate = parse_certificate(line);
  REQUIRE(certificate);
  CHECK(certificate->principals == std::vector<std::string>{"jdoe"});
  CHECK(certificate->certified_key == *public_blob_of_line(security_key()));
  CHECK_FALSE(objection_to(*certificate, *public_blob_of_line(security_key()), present()));
  CHECK(objection_to(*certificate, *public_blob_of_line(post_quantum_key()), present()));
  for (std::size_t size = 0; size < certificate->blob.size(); ++size)
    CHECK_FALSE(parse_certificate_blob(certificate->blob.substr(0, size)));
  CHECK_FALSE(parse_certificate_blob(certificate->blob + std::string(4, '\0')));
}

// A certificate put together by hand around a valid one's parts, to reach what ssh-keygen refuses
// to make.
struct Parts {
  std::string type = "ssh-ed25519-cert-v01@openssh.com";
  std::string nonce = "nonce", point = std::string(32, 'p');
  std::string principals = {}, critical = {}, extensions = {};
  std::string authority = generate_key_pair(KeyType::ed25519).public_blob;
  std::string signature = "signature";

  std::optional<Certificate> parsed() const {
    WireWriter blob;
    blob.string(type).string(nonce).string(point).uint64(1).uint32(1).string("id");
    blob.string(principals).uint64(0).uint64(~std::uint64_t{0}).string(critical);
    blob.string(extensions).string("").string(authority).string(signature);
    return parse_certificate_blob(blob.bytes());
  }
};

std::string options_named(std::initializer_list<std::string_view> names) {
  WireWriter options;
  for (const auto name : names) options.string(name).string("");
  return options.bytes();
}

TEST_CASE(
    "certificate: of an authority whose type is not known it is read, and its signature is not "
    "believed") {
  WireWriter authority;
  authority.string("ssh-mldsa44-ed25519@openssh.com").string(std::string(1344, 'q'));
  const auto certificate = Parts{.authority = authority.bytes()}.parsed();
  REQUIRE(certificate);
  CHECK_FALSE(signature_verifies(*certificate));
  CHECK(objection_to(*certificate, certificate->certified_key, present()));
}

TEST_CASE("certificate: a type is a name of at most 64 visible characters (RFC 4251, section 6)") {
  const auto parsed = [](const std::string& name) {
    return Parts{.type = name + "-cert-v01@openssh.com", .point = std::string(40, 'q')}.parsed();
  };
  CHECK(parsed("ssh-new"));
  for (const std::string& name :
       {std::string("ssh-\x15new"), std::string("ssh new"), std::string("ssh-\x7f"),
        std::string("ssh-\xc3\xa9"), std::string(64, 'x')})
    CHECK_FALSE_MESSAGE(parsed(name), name);
}

TEST_CASE("certificate: of the type mldsa44-ed25519") {
  const auto certificate =
      Parts{.type = "ssh-mldsa44-ed25519-cert-v01@openssh.com", .point = std::string(1344, 'q')}
          .parsed();
  REQUIRE(certificate);
  CHECK(certificate->key_id == "id");
  CHECK(certificate->certified_key == *public_blob_of_line(post_quantum_key()));
}

TEST_CASE("certificate: malformed fields are refused") {
  REQUIRE(Parts().parsed());
  SUBCASE("type of no certificate") {
    CHECK_FALSE(Parts{.type = "sk-ssh-ed25519@openssh.com"}.parsed());
    CHECK_FALSE(Parts{.type = "-cert-v01@openssh.com"}.parsed());
    CHECK_FALSE(Parts{.type = "ssh-ed25519-cert-v02@openssh.com"}.parsed());
    CHECK_FALSE(Parts{.type = "ssh-ed25519-cert-v01-cert-v01@openssh.com"}.parsed());
  }
  SUBCASE("plain type") {
    CHECK_FALSE(Parts{.type = "ssh-ed25519"}.parsed());
  }
  SUBCASE("short point") {
    CHECK_FALSE(Parts{.point = std::string(31, 'p')}.parsed());
  }
  SUBCASE("options in order") {
    CHECK(Parts{.extensions = options_named({"a", "b"})}.parsed());
  }
  SUBCASE("options out of order") {
    CHECK_FALSE(Parts{.extensions = options_named({"b", "a"})}.parsed());
    CHECK_FALSE(Parts{.critical = options_named({"b", "a"})}.parsed());
  }
  SUBCASE("an option twice") {
    CHECK_FALSE(Parts{.critical = options_named({"a", "a"})}.parsed());
  }
  SUBCASE("an option without its data") {
    WireWriter name;
    name.string("a");
    CHECK_FALSE(Parts{.critical = name.bytes()}.parsed());
  }
  SUBCASE("too many principals") {
    WireWriter names;
    for (int i = 0; i < 257; ++i) names.string("a");
    CHECK_FALSE(Parts{.principals = names.bytes()}.parsed());
  }
  SUBCASE("signed by a certificate") {
    WireWriter key;
    key.string("ssh-ed25519-cert-v01@openssh.com").string(std::string(32, 'p'));
    CHECK_FALSE(Parts{.authority = key.bytes()}.parsed());
  }
  SUBCASE("no signature") {
    CHECK_FALSE(Parts{.signature = ""}.parsed());
  }
  SUBCASE("a signature that is none") {
    CHECK_FALSE(signature_verifies(Parts().parsed().value()));
  }
}

std::string text_of(const std::optional<Objection>& objection) {
  return objection ? objection->text : "";
}

// Of a certificate made with these options of ssh-keygen.
std::optional<Objection> objection_made(const std::string& options,
                                        std::chrono::seconds later = {}) {
  const auto pair = generate_key_pair(KeyType::ecdsa);
  const auto certificate = parse_certificate(Authority().sign(pair.public_line(), options));
  REQUIRE(certificate);
  return objection_to(*certificate, pair.public_blob, present() + later);
}

std::string objection(const std::string& options, std::chrono::seconds later = {}) {
  return text_of(objection_made(options, later));
}

TEST_CASE("certificate: a good certificate meets no objection") {
  CHECK(objection("-I id -n jdoe -V -5m:+5m").empty());
  CHECK(objection("-I id -n jdoe -V always:forever").empty());
  CHECK(objection("-I id -n jdoe -O force-command=id -O source-address=::/0").empty());
}

TEST_CASE("certificate: a certificate for another key meets an objection") {
  const auto pair = generate_key_pair(KeyType::ecdsa), other = generate_key_pair(KeyType::ecdsa);
  const auto certificate = parse_certificate(Authority().sign(other.public_line())).value();
  CHECK(text_of(objection_to(certificate, pair.public_blob, present())) ==
        "it certifies another key");
}

TEST_CASE("certificate: a host certificate meets an objection") {
  CHECK(objection("-I id -h -n vm.example.com") == "it is not a user certificate");
}

TEST_CASE("certificate: an expired certificate meets an objection") {
  CHECK(objection("-I id -n jdoe -V -2h:-1h").starts_with("it expired 1 h ago"));
  CHECK(objection("-I id -n jdoe -V -5m:+10m", std::chrono::hours(1)).starts_with("it expired"));
}

TEST_CASE("certificate: a future one meets an objection, unless a slow local clock explains it") {
  CHECK(objection("-I id -n jdoe -V +1h:+2h").starts_with("it becomes valid only in"));
  CHECK(objection("-I id -n jdoe -V +4m:+2h").empty());
}

TEST_CASE("certificate: objections to time and to content differ") {
  CHECK(objection_made("-I id -n jdoe -V -2h:-1h")->to == Objection::To::time);
  CHECK(objection_made("-I id -n jdoe -V +1h:+2h")->to == Objection::To::time);
  CHECK(objection_made("-I id -n jdoe -O critical:clock@example.com=no")->to ==
        Objection::To::content);
}

TEST_CASE("certificate: a certificate without a principal meets an objection") {
  CHECK(objection("-I id -V -5m:+5m") == "it names no principal");
}

TEST_CASE("certificate: an unknown critical option meets an objection") {
  CHECK(objection("-I id -n jdoe -O critical:shell@example.com=no") ==
        "its critical option \"shell@example.com\" is unknown");
}

TEST_CASE("certificate: a broken signature meets an objection") {
  const auto pair = generate_key_pair(KeyType::ecdsa);
  const auto blob = parse_certificate(Authority().sign(pair.public_line())).value().blob;
  const auto certificate = parse_certificate_blob(flipped(blob, blob.size() - 1)).value();
  CHECK(text_of(objection_to(certificate, pair.public_blob, present())) ==
        "its signature does not verify");
}

struct Span {
  std::uint64_t after, before, now;
  bool usable;
};

TEST_CASE("certificate: usable until its margin begins") {
  constexpr auto forever = ~std::uint64_t{0};
  constexpr Span spans[] = {
      {1000, 2000, 1500, true},    {1000, 2000, 1969, true},  {1000, 2000, 1970, false},
      {1000, 2000, 2000, false},   {1000, 2000, 2500, false}, {1000, 1060, 1039, true},
      {1000, 1060, 1040, false},   {1000, 1003, 1001, true},  {1000, 1003, 1002, false},
      {1000, 1001, 1000, true},    {0, forever, 1500, true},  {1000, 1000, 1000, false},
      {2000, 1000, 1500, false},   {1000, 2000, 700, true},   {1000, 2000, 699, false},
      {forever, forever, 0, false}};
  for (const auto& span : spans) {
    INFO(fmt::format("{} to {} at {}", span.after, span.before, span.now));
    Certificate certificate;
    certificate.valid_after = span.after;
    certificate.valid_before = span.before;
    const std::chrono::sys_seconds when{std::chrono::seconds(span.now)};
    CHECK(certificate.usable_at(when) == span.usable);
    CHECK(certificate.valid_at(when) == (span.after <= span.now && span.now < span.before));
  }
}

TEST_CASE("certificate: its remaining time") {
  Certificate certificate;
  certificate.valid_before = 2000;
  using std::chrono::seconds;
  CHECK(certificate.remaining_at(std::chrono::sys_seconds(seconds(1500))) == seconds(500));
  CHECK(certificate.remaining_at(std::chrono::sys_seconds(seconds(2500))) == seconds(0));
  certificate.valid_before = ~std::uint64_t{0};
  CHECK(certificate.remaining_at(std::chrono::sys_seconds(seconds(0))) == seconds::max());
}

}  // namespace
}  // namespace mayfly::sshgen
