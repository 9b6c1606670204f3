// A team's signer for tests. It records requests and answers them by ssh-keygen or from a script.
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
// Returns the three members of the JSON body. The test fails if there are others.
SignRequest read_sign_request(const Request& request);

// Returns the signer's answer {"id":...,"certificate":...,"expires_at":...}.
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
