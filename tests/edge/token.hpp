// Making, checking and revoking the tokens of applications and teams.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <unordered_map>

#include "config.hpp"
#include "key_ring.hpp"

namespace edge {

// Who a token speaks for: a person or a service, never both.
struct Identity {
  std::string email;
  std::string common_name;
  std::string nonce;  // of the token it was read from

  const std::string& name() const { return email.empty() ? common_name : email; }
};

struct Minting {
  std::string team;
  std::string claims;     // JSON text
  std::string header;     // JSON text, merged into the usual header
  std::string algorithm;  // "RS256" (also when empty), "HS256" or "none"
  bool spoil_signature = false;
};

enum class TokenKind { app, org };
struct Revocation {
  bool app = true;
  bool org = true;
  std::string application;  // "": all
  std::string team;         // "": all
  std::string email;        // "": all
  long from = 0;            // when they stop working, seconds since the epoch
};

class Tokens {
 public:
  explicit Tokens(KeyRing& keys) : keys_(keys) {}

  std::string mint(const Minting& minting);
  // Usual claims of an application token; `seconds` from the edge's `now`.
  nlohmann::json app_claims(const Application& application, const Identity& identity, long seconds);
  nlohmann::json org_claims(const std::string& team, const std::string& email, long seconds);
  std::string mint_app(const Application& application, const Identity& identity, long seconds);
  std::string mint_org(const std::string& team, const std::string& email, long seconds);

  std::optional<Identity> check_app(const Application& application, const std::string& token);
  std::optional<Identity> check_org(const std::string& team, const std::string& token);
  // Claims of a token whose signature, issuer and dates are good; null otherwise.
  nlohmann::json open(const std::string& team, const std::string& token);

  std::size_t revoke(const Revocation& revocation);
  void forget_revocations();

  long now() const;
  void set_skew(long seconds) { skew_ = seconds; }

 private:
  struct Issue {
    TokenKind kind;
    std::string team;
    std::string application;
    std::string email;
    std::optional<long> revoked_from;
  };

  KeyRing& keys_;
  std::unordered_map<std::string, Issue> issued_;  // by nonce
  long skew_ = 0;
};

}  // namespace edge
