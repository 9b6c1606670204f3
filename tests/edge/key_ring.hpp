// The RSA keys that sign each team's tokens, and their JWKS.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "crypto.hpp"

namespace edge {

struct SigningKey {
  std::string kid;
  Key key;
};

// A public key as a JWKS names it.
nlohmann::json jwk(const std::string& kid, EVP_PKEY* key);

class KeyRing {
 public:
  // Keys are kept in `directory`, one file each.
  explicit KeyRing(std::string directory) : directory_(std::move(directory)) {}

  const SigningKey& current(const std::string& team);
  const SigningKey* find(const std::string& team, const std::string& kid);
  nlohmann::json jwks(const std::string& team);

  enum class Old { keep, drop };
  void rotate(const std::string& team, Old old);
  std::vector<std::string> teams() const;

 private:
  std::vector<SigningKey>& keys(const std::string& team);
  std::string path(const std::string& team, std::size_t number) const;

  std::string directory_;
  std::map<std::string, std::vector<SigningKey>> teams_;
};

}  // namespace edge
