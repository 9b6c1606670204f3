// A team's signer for tests: what arrives is recorded, and answered by ssh-keygen or by script.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/identity/token_store.hpp"
#include "sshgen/testing/scratch.hpp"

namespace mayfly::sshgen {

inline constexpr const char* team = "example.cloudflareaccess.com";

Application application_of_team();
StoredToken token_of_team(const std::string& jwt = "head.payload.signature");

struct SignRequest {
  std::string public_key, jwt, issuer;
};
// The three members of the JSON body, which must be all there is.
SignRequest read_sign_request(const Request& request);

// {"id":...,"certificate":...,"expires_at":...} as the signer sends it.
Response signed_answer(const std::string& certificate_line);
Response answer(int status, const std::string& body);

struct Signer {
  Authority authority = Authority();
  std::string options = "-I jdoe@example.com -n jdoe -V -5m:+1h";
  std::vector<Response> script;  // answers to give first, in this order
  std::vector<Request> requests;

  Send send();
};

}  // namespace mayfly::sshgen
