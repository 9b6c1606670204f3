// Managed OAuth of an application, the requests of a public client: discovery (RFC 9728, 8414),
// registration (RFC 7591), tokens (RFC 6749, 7636, 8707) and revocation (RFC 7009).
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "access/core/secret.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"

namespace mayfly {

// The path of the redirect to this computer.
inline constexpr std::string_view redirect_path = "/callback";

// The authorization server of an application. It is the team domain or the application's own host,
// and all endpoints are its pages below /cdn-cgi/access/oauth/, which Cloudflare serves on every
// host and no origin can.
struct OauthServer {
  std::string issuer;  // "https://team.cloudflareaccess.com"
  Url authorization, token, registration;
  std::optional<Url> revocation = {};
  bool names_itself = false;  // in the authorization response (RFC 9207)
};

// The statements of an application's own document (RFC 9728).
struct OauthResource {
  std::string resource;  // the URI that names the application in requests (RFC 8707)
  std::string issuer;
  bool has_other_login = false;  // the login of cloudflared is offered, too
};

struct OauthTokens {
  Secret access, refresh;            // refresh may be empty
  std::chrono::sys_seconds expires;  // of the access token
};

// Returns whether the URL is an endpoint that a server with this issuer may have for the
// application at `url`.
bool is_oauth_endpoint(const Url& endpoint, const Url& url, const Application& application);

// A request of the client that a logout may stop.
struct OauthRequests {
  const Send& send;
  std::function<void()> before_sending = {};  // as Request::before_sending
};

// Asks the application for its document. Returns nullopt if it has no Managed OAuth. Throws
// Error(protocol) for a document of another resource, team or server, Error(network).
std::optional<OauthResource> ask_resource(const Send& send, const Url& url,
                                          const Application& application);
// Asks the server of the application for its endpoints, and checks each. Throws Error(protocol) or
// Error(network).
OauthServer ask_server(const Send& send, const Url& url, const Application& application,
                       std::string_view issuer);
// Registers a public client with a loopback redirect. Returns its id. Throws Error(refused).
std::string register_client(const Send& send, const OauthServer& server);

// A code that came back, and what proves that this client has asked for it.
struct OauthCode {
  std::string client, redirect_uri, resource;
  Secret code, verifier;
};
// Throws Error(refused) or Error(protocol).
OauthTokens exchange_code(const OauthRequests& requests, const Url& endpoint, const OauthCode& code,
                          std::chrono::sys_seconds now);

// Returns new tokens for a refresh token, which then is used up. Returns nullopt if the server does
// not take it or the client any more. Throws Error(network), after which nobody knows whether it is
// used up, or Error(protocol).
std::optional<OauthTokens> refresh_tokens(const OauthRequests& requests, const Url& endpoint,
                                          const OauthCode& client, const Secret& refresh,
                                          std::chrono::sys_seconds now);

// Ends the grant of a refresh token. Throws Error(network) or Error(refused).
void revoke_token(const OauthRequests& requests, const Url& endpoint, std::string_view client,
                  const Secret& token);

// A proof key (RFC 7636) with the method S256.
struct ProofKey {
  Secret verifier;
  std::string challenge;  // begins with a letter or digit, since Access refuses others
};
ProofKey make_proof_key();
// Returns the challenge of a verifier.
std::string challenge_of(std::string_view verifier);
// Returns 256 random bits as base64url.
std::string random_state();

struct AuthorizationRequest {
  std::string client, redirect_uri, state, challenge, resource;
};
// Returns the URL that the person opens.
std::string authorization_url(const OauthServer& server, const AuthorizationRequest& request);

}  // namespace mayfly
