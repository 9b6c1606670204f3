// The root CA and the server certificates it issues, one for each host name asked for.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "crypto.hpp"

namespace edge {

enum class Flaw { none, expired, wrong_host, self_signed };

class Authority {
 public:
  // Reads `directory`/ca.pem and ca.key, or makes them.
  explicit Authority(const std::string& directory);

  X509* certificate(const std::string& host, Flaw flaw);
  EVP_PKEY* key() const { return server_key_.get(); }

 private:
  Key ca_key_;
  Key server_key_;
  Certificate ca_;
  std::map<std::pair<std::string, Flaw>, Certificate> issued_;
};

// All certificates of a PEM text; throws std::runtime_error when there is none.
std::vector<Certificate> parse_certificates(const std::string& pem);

}  // namespace edge
