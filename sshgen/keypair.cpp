#include "sshgen/keypair.hpp"

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "access/core/encoding.hpp"
#include "access/core/error.hpp"
#include "sshgen/openssl_handle.hpp"
#include "sshgen/wire.hpp"

namespace mayfly::sshgen {
namespace {

constexpr std::string_view ecdsa_type = "ecdsa-sha2-nistp256";
constexpr std::string_view ecdsa_curve = "nistp256";
constexpr std::string_view ed25519_type = "ssh-ed25519";
constexpr std::size_t scalar_bytes = 32;
constexpr std::size_t point_bytes = 65;

constexpr std::string_view sec1_label = "EC PRIVATE KEY";
constexpr std::string_view openssh_label = "OPENSSH PRIVATE KEY";
constexpr std::string_view openssh_magic("openssh-key-v1\0", 15);  // PROTOCOL.key

// The three constant parts of the DER of an ECPrivateKey on P-256 (RFC 5915 section 3), around the
// private scalar and before the public point.
constexpr std::string_view sec1_head("\x30\x77\x02\x01\x01\x04\x20", 7);
constexpr std::string_view sec1_middle(
    "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\xa1\x44\x03\x42\x00", 17);

void must(bool done) {
  if (!done) throw Error(ErrorKind::failed, "making a key pair: OpenSSL failed");
}

Secret octets_of(const EVP_PKEY* key, const char* name, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t written = 0;
  must(EVP_PKEY_get_octet_string_param(key, name, reinterpret_cast<unsigned char*>(bytes.data()),
                                       bytes.size(), &written) == 1 &&
       written == size);
  return Secret(std::move(bytes));
}

Secret private_scalar(const EVP_PKEY* key) {
  BIGNUM* scalar = nullptr;
  must(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1);
  const Number owner(scalar);
  std::string bytes(scalar_bytes, '\0');
  must(BN_bn2binpad(scalar, reinterpret_cast<unsigned char*>(bytes.data()),
                    static_cast<int>(bytes.size())) > 0);
  return Secret(std::move(bytes));
}

// OpenSSL's "type-specific" structure is SEC 1, which Go's x509.MarshalECPrivateKey writes as well.
Secret sec1_file(const EVP_PKEY* key) {
  const Encoder encoder(
      OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "PEM", "type-specific", nullptr));
  unsigned char* text = nullptr;
  std::size_t size = 0;
  must(encoder && OSSL_ENCODER_to_data(encoder.get(), &text, &size) == 1);
  Secret file(std::string_view(reinterpret_cast<const char*>(text), size));
  OPENSSL_clear_free(text, size);
  return file;
}

KeyPair generate_ecdsa() {
  const Key key(EVP_EC_gen("P-256"));
  must(key != nullptr);
  WireWriter blob;
  blob.string(ecdsa_type).string(ecdsa_curve);
  blob.string(octets_of(key.get(), OSSL_PKEY_PARAM_PUB_KEY, point_bytes).reveal());
  WireWriter agent;
  agent.mpint(private_scalar(key.get()).reveal());
  return {KeyType::ecdsa, sec1_file(key.get()), blob.bytes(), agent.secret()};
}

Secret openssh_file(std::string_view public_blob, std::string_view agent_private) {
  std::array<unsigned char, 4> check{};
  must(RAND_bytes(check.data(), check.size()) == 1);
  const std::string_view check_bytes(reinterpret_cast<const char*>(check.data()), check.size());
  WireWriter inner;
  inner.raw(check_bytes).raw(check_bytes);
  inner.string(ed25519_type).raw(agent_private).string("");
  for (std::uint8_t pad = 1; inner.bytes().size() % 8 != 0; ++pad) inner.byte(pad);
  WireWriter file;
  file.raw(openssh_magic).string("none").string("none").string("").uint32(1);
  file.string(public_blob).string(inner.bytes());

  const Secret base64(base64_encode(file.bytes(), Base64::standard));
  WireWriter text;
  text.raw("-----BEGIN ").raw(openssh_label).raw("-----\n");
  constexpr std::size_t columns = 70;  // as ssh-keygen writes it
  for (std::size_t at = 0; at < base64.size(); at += columns)
    text.raw(base64.reveal().substr(at, columns)).raw("\n");
  text.raw("-----END ").raw(openssh_label).raw("-----\n");
  return text.secret();
}

KeyPair generate_ed25519() {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  must(key != nullptr);
  const auto seed = octets_of(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, 32);
  const auto point = octets_of(key.get(), OSSL_PKEY_PARAM_PUB_KEY, 32);
  WireWriter blob;
  blob.string(ed25519_type).string(point.reveal());
  WireWriter agent;
  agent.string(point.reveal()).uint32(64).raw(seed.reveal()).raw(point.reveal());
  auto agent_private = agent.secret();
  auto file = openssh_file(blob.bytes(), agent_private.reveal());
  return {KeyType::ed25519, std::move(file), blob.bytes(), std::move(agent_private)};
}

std::string_view type_of(KeyType type) {
  return type == KeyType::ecdsa ? ecdsa_type : ed25519_type;
}

// Removes one line feed at the end.
std::string_view without_line_feed(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// Decodes the base64 between the lines "-----BEGIN label-----" and "-----END label-----".
std::optional<Secret> read_pem(std::string_view content, std::string_view label) {
  const auto frame = [label](std::string_view word) {
    return std::string("-----").append(word).append(label).append("-----");
  };
  const auto head = frame("BEGIN ") + '\n';
  const auto tail = '\n' + frame("END ");
  content = without_line_feed(content);
  if (!content.starts_with(head) || !content.ends_with(tail) ||
      content.size() < head.size() + tail.size())
    return std::nullopt;
  content.remove_prefix(head.size());
  content.remove_suffix(tail.size());
  WireWriter base64;
  for (;;) {
    const auto end = content.find('\n');
    base64.raw(content.substr(0, end));
    if (end == std::string_view::npos) break;
    content.remove_prefix(end + 1);
  }
  auto bytes = base64_decode(base64.bytes(), Base64::standard);
  if (!bytes) return std::nullopt;
  return Secret(*std::move(bytes));
}

std::optional<std::string> public_blob_of_sec1(std::string_view der) {
  WireReader reader(der);
  const bool framed = reader.take(sec1_head.size()) == sec1_head &&
                      reader.take(scalar_bytes).size() == scalar_bytes &&
                      reader.take(sec1_middle.size()) == sec1_middle;
  const auto point = reader.take(point_bytes);
  if (!framed || !reader.complete() || point[0] != 4) return std::nullopt;
  WireWriter blob;
  blob.string(ecdsa_type).string(ecdsa_curve).string(point);
  return blob.bytes();
}

// Checks a private section (PROTOCOL.key section 3): the same number twice, key, comment, padding
// 1, 2, 3...
bool holds_private_half_of(std::string_view section, std::string_view point) {
  WireReader reader(section);
  const auto check = reader.uint32();
  const bool checked =
      reader.uint32() == check && reader.string() == ed25519_type && reader.string() == point;
  const auto seed_and_point = reader.string();
  reader.string();  // comment
  if (!checked || !reader.ok() || seed_and_point.size() != 64 ||
      seed_and_point.substr(32) != point || section.size() % 8 != 0 || reader.rest().size() >= 8)
    return false;
  for (std::uint8_t pad = 1; !reader.at_end(); ++pad)
    if (reader.byte() != pad) return false;
  return true;
}

std::optional<std::string> public_blob_of_openssh(std::string_view file) {
  WireReader reader(file);
  const bool plain = reader.take(openssh_magic.size()) == openssh_magic &&
                     reader.string() == "none" && reader.string() == "none" &&
                     reader.string().empty() && reader.uint32() == 1;
  const auto blob = reader.string();
  const auto section = reader.string();
  if (!plain || !reader.complete()) return std::nullopt;
  WireReader key(blob);
  const bool is_ed25519 = key.string() == ed25519_type;
  const auto point = key.string();
  if (!is_ed25519 || !key.complete() || point.size() != 32 ||
      !holds_private_half_of(section, point))
    return std::nullopt;
  return std::string(blob);
}

}  // namespace

std::string KeyPair::public_line() const {
  return std::string(type_of(type))
      .append(" ")
      .append(base64_encode(public_blob, Base64::standard))
      .append("\n");
}

KeyPair generate_key_pair(KeyType type) {
  return type == KeyType::ecdsa ? generate_ecdsa() : generate_ed25519();
}

std::optional<std::string> public_blob_of_line(std::string_view line) {
  line = without_line_feed(line);
  if (has_control_character(line)) return std::nullopt;
  const auto type_end = line.find(' ');
  if (type_end == std::string_view::npos) return std::nullopt;
  const auto type = line.substr(0, type_end);
  const auto rest = line.substr(type_end + 1);
  auto blob = base64_decode(rest.substr(0, rest.find(' ')), Base64::standard);
  if (!blob || type.empty() || WireReader(*blob).string() != type) return std::nullopt;
  return blob;
}

std::optional<std::string> public_blob_of_private_file(std::string_view content) {
  if (const auto der = read_pem(content, sec1_label)) return public_blob_of_sec1(der->reveal());
  if (const auto file = read_pem(content, openssh_label))
    return public_blob_of_openssh(file->reveal());
  return std::nullopt;
}

}  // namespace mayfly::sshgen
