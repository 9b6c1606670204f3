// A machine's identity, service token or client certificate: how it is shown, and what the edge
// makes of it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/core/error.hpp"
#include "access/core/secret.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/identity/jwt.hpp"

namespace mayfly {

struct ServiceToken {
  std::string id;
  Secret secret;
};

// The two headers of a service token (docs/protocol.md section 2).
Headers service_token_headers(const ServiceToken& token);

// Whether a stored token is what this service token was given.
bool is_earned_by(const TokenClaims& claims, const ServiceToken& token);

enum class Machine { service_token, client_certificate };

struct MachineAnswer {
  bool wants_person = false;    // the certificate is good, and a login is wanted besides
  std::optional<Secret> token;  // nothing: what was shown has to be shown each time
};

// What a request was made to, and with which of a machine's identities.
struct MachineRequest {
  const Url& url;
  const Application& application;
  Machine machine;
};

// Throws Error(refused) when the edge does not accept it.
MachineAnswer judge_machine_answer(const MachineRequest& request, const Response& response,
                                   std::chrono::sys_seconds now);

// Nobody is let in there without saying who they are, as far as the answer tells: a refusal, a
// redirect to another host or to a page of Access, or one that cannot be followed.
bool is_guarded(const Url& request, const Response& response);

// The answer to a request without a client certificate says that one is wanted: a browser login
// would end at the same page.
bool wants_certificate(const Response& response);
Error certificate_wanted(const Application& application, const Response& response);

// True for a 302 to /cdn-cgi/access/login... of the team that issues the tokens, or of the
// application's own host, where that path is Access' too. What is behind Access may redirect to
// such a path of somebody else's.
bool is_login_redirect(const Url& request, const Response& response, std::string_view issuer);

}  // namespace mayfly
