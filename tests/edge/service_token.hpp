// The service token that a request carries, and whether it is a good one.
#pragma once

#include "config.hpp"
#include "message.hpp"

namespace edge {

struct ServiceCredentials {
  bool present = false;    // the request carries some, complete or not
  bool malformed = false;  // incomplete, twice, or both in the pair and in the single header
  std::string id;
  std::string secret;
};

// Reads the pair of headers, and the single header that the application has configured.
ServiceCredentials read_service_credentials(const Request& request, const Application& application);

// Whether a field of the request carries a service token.
bool carries_service_token(const Field& field, const Application& application);

enum class ServiceVerdict {
  unauthenticated,  // unknown, expired, disabled, or the secret is wrong
  unauthorized,     // good, but no policy of this application lets it in
  good,
};

// `now` is in seconds since the epoch.
ServiceVerdict judge(const Config& config, const Application& application,
                     const ServiceCredentials& credentials, long now);

// The application's policies name this token.
bool lists_service_token(const Application& application, const std::string& id);

// A secret of the form that Cloudflare has made since August 2026: "cfast_", 40 letters and digits,
// 8 characters of checksum.
std::string make_service_secret();

}  // namespace edge
