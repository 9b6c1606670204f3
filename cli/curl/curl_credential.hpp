// The credential of a run of curl, and the options that keep it to the application's host.
#pragma once

#include <string>
#include <vector>

#include "access/identity/credentials.hpp"
#include "access/tls/connection_options.hpp"
#include "cli/curl/curl_arguments.hpp"
#include "cli/curl/curl_guard.hpp"

namespace mayfly::cli {

struct CurlCredential {
  Descriptor file;                          // that the arguments name
  std::vector<std::string> arguments = {};  // before the user's options
  std::vector<std::string> last = {};       // after the user's options
};

// Returns whether curl may send its request to another host than the URL's, or over plain HTTP.
bool may_leave_host(const CurlArguments& curl, const Url& url);

// A run of curl for the application at `url`.
struct CurlRun {
  const CurlArguments& curl;
  const GuardedCurl& guarded;
  const Url& url;
  const ConnectionOptions& connection;
};

// Throws usage Error if the application is a path of its host and curl could ask for another path,
// where another server may answer.
void refuse_other_paths(const CurlRun& run, const Application& application);

// Returns the credential by which curl sends the token: a header, or a cookie if curl may leave the
// host.
CurlCredential token_for_curl(const CurlRun& run, const Secret& jwt);

// Returns the credential by which curl sends the headers of the service token, to the application's
// host and port alone and over TLS alone. Throws usage Error where curl could carry them elsewhere.
CurlCredential service_token_for_curl(const CurlRun& run, const ServiceToken& token);

// Returns the credential by which curl sends the token of Managed OAuth, as a service token's
// headers.
CurlCredential bearer_for_curl(const CurlRun& run, const OauthToken& token);

// Returns whether curl may send an Authorization of its own, which Access would take for its token.
bool has_own_authorization(const GuardedCurl& guarded);

}  // namespace mayfly::cli
