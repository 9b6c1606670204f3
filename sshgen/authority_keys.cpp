#include "sshgen/authority_keys.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "access/core/encoding.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "sshgen/public_key.hpp"
#include "sshgen/wire.hpp"

namespace mayfly::sshgen {
namespace {

constexpr std::string_view blanks = " \t\r";

[[noreturn]] void refuse(std::string_view source, std::string_view why, std::string_view hint) {
  throw Error(ErrorKind::usage, fmt::format("{} holds no key of a CA: {}", source, why),
              std::string(hint));
}

// No word of a private key may reach a message or a file, so the text is judged as a whole first.
void refuse_other_formats(std::string_view text, std::string_view source) {
  if (text.find("PRIVATE KEY") != std::string_view::npos ||
      text.find("PuTTY-User-Key-File") != std::string_view::npos)
    refuse(source, "it is a private key",
           "give the public key of the CA, and keep the private one off this machine");
  if (text.find("-----BEGIN ") != std::string_view::npos ||
      text.find("---- BEGIN ") != std::string_view::npos)
    refuse(source, "it has another format than OpenSSH's",
           "ssh-keygen -i -m PKCS8 -f FILE (or -m RFC4716) prints it in OpenSSH's format");
  if (text.find('\0') != std::string_view::npos)
    refuse(source, "it is no text", "give the line of the public key");
}

std::string_view next_word(std::string_view& rest) {
  rest = trim(rest, blanks);
  const auto end = std::min(rest.find_first_of(blanks), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

bool is_key_of(std::string_view type, std::string_view blob) {
  return WireReader(blob).string() == type && is_public_key(blob);
}

AuthorityKey parse_line(std::string_view line, std::string_view source) {
  std::string_view rest = line;
  const std::string_view type = next_word(rest), base64 = next_word(rest);
  const std::string_view comment = trim(rest, blanks);
  if (type.find("-cert-v01@") != std::string_view::npos)
    refuse(source, "it is a certificate", "give the public key of the CA that signed it");
  if (type.find_first_of("=,\"") != std::string_view::npos || type == "cert-authority" ||
      type == "@cert-authority")
    refuse(source, "a line begins with options",
           "give the key alone: a type such as ecdsa-sha2-nistp256, and the base64 behind it");
  const auto blob = base64_decode(base64, Base64::standard);
  if (!blob || !is_key_of(type, *blob))
    refuse(source, "a line is no public key of type RSA, ECDSA or Ed25519",
           "give the whole line of the public key, as the dashboard or ssh-keygen shows it");
  AuthorityKey key{std::string(type), fmt::format("{} {}", type, base64)};
  if (!comment.empty() && printable(comment, 1000) == comment)
    key.line += fmt::format(" {}", comment);
  return key;
}

}  // namespace

std::vector<AuthorityKey> parse_authority_keys(std::string_view text, std::string_view source) {
  refuse_other_formats(text, source);
  std::vector<AuthorityKey> keys;
  for (const std::string_view line : split(text, '\n')) {
    const std::string_view content = trim(line, blanks);
    if (!content.empty() && content.front() != '#') keys.push_back(parse_line(content, source));
  }
  if (keys.empty()) refuse(source, "it is empty", "give the public key of the CA");
  return keys;
}

std::vector<std::string> authority_key_types(std::string_view text, std::string_view source) {
  std::vector<std::string> types;
  for (auto& key : parse_authority_keys(text, source)) types.push_back(std::move(key.type));
  return types;
}

}  // namespace mayfly::sshgen
