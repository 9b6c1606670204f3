// Secrets and headers in the forms in which people have them at hand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access/core/secret.hpp"
#include "access/http1/headers.hpp"

namespace mayfly::cli {

struct ServiceTokenField {
  std::string_view name;    // "id"
  std::string_view header;  // that carries it
  std::string_view source;  // its flags and variables
};

inline constexpr ServiceTokenField service_token_id_field{
    "id", "CF-Access-Client-Id", "--service-token-id or TUNNEL_SERVICE_TOKEN_ID"};
inline constexpr ServiceTokenField service_token_secret_field{
    "secret", "CF-Access-Client-Secret",
    "--service-token-secret, --service-token-secret-file or TUNNEL_SERVICE_TOKEN_SECRET"};

// Returns the part of `text` without byte order mark, line end, and the name of the header, which
// dashboards copy with its value. Throws usage Error for an invalid value of a header.
std::string_view service_token_text(std::string_view text, const ServiceTokenField& field);

// Returns the file's first line. Throws usage Error if the file is absent, empty, readable by other
// users, or longer than 4 KiB.
Secret read_secret_file(const std::string& path);

// Returns the headers of lines "Name: value". Throws usage Error.
Headers user_headers(const std::vector<std::string>& lines);

}  // namespace mayfly::cli
