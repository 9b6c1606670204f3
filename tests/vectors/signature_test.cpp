// Wycheproof: signatures by the keys of an SSH CA and of a team, and JSON Web Signatures.
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "access/core/encoding.hpp"
#include "access/core/text.hpp"
#include "access/jwt/jwks.hpp"
#include "access/jwt/jwt.hpp"
#include "sshgen/public_key.hpp"
#include "tests/vectors/vectors.hpp"

namespace {

using mayfly::sshgen::WireWriter;
using nlohmann::json;

std::string without_zeros(std::string number) {
  number.erase(0, std::min(number.find_first_not_of('\0'), number.size()));
  return number;
}

// The names of a curve in RFC 5656 section 6.2.
const std::map<std::string, std::string> curves = {{"ecdsa_secp256r1_sha256_p1363", "nistp256"},
                                                   {"ecdsa_secp384r1_sha384_p1363", "nistp384"},
                                                   {"ecdsa_secp521r1_sha512_p1363", "nistp521"}};

std::string public_blob(const std::string& file, const json& group) {
  WireWriter blob;
  const auto number = [&](const char* name) {
    return without_zeros(vectors::from_hex(group[name].get<std::string>()));
  };
  if (file.starts_with("rsa")) {
    blob.string("ssh-rsa").mpint(number("e")).mpint(number("n"));
  } else if (file == "ed25519") {
    blob.string("ssh-ed25519").string(vectors::from_hex(group["pk"].get<std::string>()));
  } else {
    blob.string("ecdsa-sha2-" + curves.at(file)).string(curves.at(file));
    blob.string(vectors::from_hex(group["q"].get<std::string>()));
  }
  return blob.bytes();
}

// In the form of SSH (RFC 8332 section 3, RFC 8709 section 6, RFC 5656 section 3.1.2).
std::string ssh_signature(const std::string& file, const std::string& signature) {
  WireWriter whole;
  if (file.starts_with("rsa")) {
    whole.string(file.ends_with("256") ? "rsa-sha2-256" : "rsa-sha2-512").string(signature);
  } else if (file == "ed25519") {
    whole.string("ssh-ed25519").string(signature);
  } else {
    WireWriter numbers;
    const auto half = signature.size() / 2;
    numbers.mpint(without_zeros(signature.substr(0, half)));
    numbers.mpint(without_zeros(signature.substr(half)));
    whole.string("ecdsa-sha2-" + curves.at(file)).string(numbers.bytes());
  }
  return whole.bytes();
}

std::string name_of(const std::string& file, const json& test) {
  return file + " " + std::to_string(test[0].get<int>());
}

}  // namespace

TEST_CASE("vectors: Wycheproof, signatures as in an SSH certificate") {
  vectors::Verdicts verdicts("ssh-signature");
  const json files = vectors::data("signatures");
  for (const auto& [file, groups] : files.items())
    for (const json& group : groups)
      for (const json& test : group["tests"]) {
        const std::string signature = vectors::from_hex(test[3].get<std::string>());
        const bool verifies =
            mayfly::sshgen::verifies(public_blob(file, group), ssh_signature(file, signature),
                                     vectors::from_hex(test[2].get<std::string>()));
        // "acceptable" may be judged either way.
        verdicts.judge(name_of(file, test),
                       test[1] == "acceptable" || verifies == (test[1] == "valid"));
      }
  verdicts.finish(2047);
}

TEST_CASE("vectors: Wycheproof, RSA signatures by the key of a team") {
  vectors::Verdicts verdicts("jwk-signature");
  const json files = vectors::data("signatures");
  for (const auto& [file, groups] : files.items()) {
    if (!file.starts_with("rsa") || !file.ends_with("sha256")) continue;
    for (const json& group : groups) {
      const auto member = [&](const char* name) {
        return mayfly::base64_encode(
            without_zeros(vectors::from_hex(group[name].get<std::string>())),
            mayfly::Base64::url_unpadded);
      };
      const json key = {{"kty", "RSA"}, {"kid", "k"}, {"n", member("n")}, {"e", member("e")}};
      const auto keys = mayfly::KeySet::parse(json{{"keys", {key}}}.dump());
      REQUIRE(keys);
      for (const json& test : group["tests"]) {
        const mayfly::Jwt token{.key_id = "k",
                                .signing_input = vectors::from_hex(test[2].get<std::string>()),
                                .signature = vectors::from_hex(test[3].get<std::string>()),
                                .payload = ""};
        verdicts.judge(name_of(file, test),
                       test[1] == "acceptable" || keys->verifies(token) == (test[1] == "valid"));
      }
    }
  }
  verdicts.finish(518);
}

namespace {

// The vectors sign texts that are no JSON objects, which parse_jwt() refuses. Their signatures are
// judged all the same.
std::optional<mayfly::Jwt> token_of(const std::string& compact, const json& key) {
  if (auto token = mayfly::parse_jwt(compact)) return token;
  const auto parts = mayfly::split(compact, '.');
  if (parts.size() != 3 || key.value("alg", "") != "RS256") return std::nullopt;
  const auto header = mayfly::base64_decode(parts[0], mayfly::Base64::url_unpadded);
  const auto payload = mayfly::base64_decode(parts[1], mayfly::Base64::url_unpadded);
  const auto signature = mayfly::base64_decode(parts[2], mayfly::Base64::url_unpadded);
  if (!header || !payload || !signature) return std::nullopt;
  // With a payload that is an object the header is judged as always.
  const std::string judged = std::string(parts[0]) + ".e30." + std::string(parts[2]);
  auto token = mayfly::parse_jwt(judged);
  if (!token) return std::nullopt;
  token->signing_input = std::string(parts[0]).append(".").append(parts[1]);
  return token;
}

void judge_web_signatures(const std::string& kind, const std::string& file, int all) {
  vectors::Verdicts verdicts(kind);
  for (const json& group : vectors::data(file)) {
    const json& key = group["key"];
    const json set = key.contains("keys") ? key : json{{"keys", {key}}};
    const auto keys = mayfly::KeySet::parse(set.dump());
    for (const json& test : group["tests"]) {
      const auto token =
          token_of(test[2].get<std::string>(), key.contains("keys") ? key["keys"][0] : key);
      const bool verifies = token && keys && keys->verifies(*token);
      verdicts.judge(name_of(kind, test), verifies == (test[1] == "valid"));
    }
  }
  verdicts.finish(all);
}

}  // namespace

TEST_CASE("vectors: Wycheproof, JSON Web Signatures") {
  judge_web_signatures("jws", "json_web_signature", 401);
}

TEST_CASE("vectors: Wycheproof, JSON Web Keys") {
  judge_web_signatures("jwk", "json_web_key", 26);
}
