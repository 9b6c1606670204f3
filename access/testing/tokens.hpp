// Keys and tokens minted for tests, by OpenSSL.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::test {

inline constexpr std::string_view kTeam = "team.cloudflareaccess.com";
inline constexpr std::string_view kHost = "vm.example.com";
inline constexpr std::string_view kAudience =
    "5d4f1c0e9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d";

std::chrono::sys_seconds system_now();

// A JSON object put together member by member.
class Claims {
 public:
  Claims& text(const std::string& name, std::string_view value);  // needs no escaping
  Claims& raw(const std::string& name, std::string_view json);
  Claims& number(const std::string& name, long long value);
  Claims& time(const std::string& name, std::chrono::sys_seconds value);
  Claims& without(const std::string& name);
  std::string json() const;

 private:
  std::map<std::string, std::string> members_;
};

// As the edge makes them at `now`, for kHost of kTeam; tokens live an hour.
Claims metadata_claims(std::chrono::sys_seconds now);
Claims app_claims(std::chrono::sys_seconds now);
Claims org_claims(std::chrono::sys_seconds now);

class SigningKey {
 public:
  explicit SigningKey(std::string id, unsigned bits = 2048);
  const std::string& id() const { return id_; }
  std::string modulus() const;  // base64url
  std::string jwk() const;
  // Compact JWS of these two texts, signed RS256 whatever the header says.
  std::string sign(std::string_view header, std::string_view payload) const;
  std::string sign(const Claims& claims) const;  // header with alg and kid

 private:
  std::string id_;
  std::shared_ptr<void> key_;
};

std::string key_set(const std::vector<std::string>& jwks);
// The team's key, and one of somebody else under the same kid; made once.
const SigningKey& team_key();
const SigningKey& foreign_key();

}  // namespace mayfly::test
