// The edge's signed answer to "which application is this?", read and checked but for its signature
// (docs/protocol.md section 1).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "access/core/error.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/identity/jwt.hpp"

namespace mayfly {

struct Metadata {
  Jwt jwt;
  std::string auth_domain;  // a host, by auth_domain_host()
  std::string type, hostname, audience, app_hostname;
  std::optional<std::int64_t> issued;
};

Request metadata_request(const Url& url);

// Returns Error(protocol) that says why the metadata of this URL's host is not used.
Error bad_metadata(const Url& url, std::string_view why);

// Makes checks 1 and 2 of docs/protocol.md section 1, and that of the port. Throws Error(protocol).
Metadata read_metadata(const Url& url, std::string_view text);

// Makes check 4, but for the claim "iat", and checks that the claims make names of files. Throws
// Error(protocol).
Application application_of(const Url& url, const Metadata& metadata);

enum class Age { young, old, ahead };

// Judges the claim "iat", in seconds since the epoch.
Age age_of(std::int64_t issued, std::chrono::sys_seconds now);

// Throws Error(protocol) unless the claim "iat" is there and young.
void check_issued(const Url& url, const Metadata& metadata, std::chrono::sys_seconds now);

}  // namespace mayfly
