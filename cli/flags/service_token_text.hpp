// A service token's id and secret, in the forms in which people have them at hand.
#pragma once

#include <string_view>

namespace mayfly::cli {

struct ServiceTokenField {
  std::string_view name;    // "id"
  std::string_view header;  // that it is sent in
  std::string_view source;  // the flags and variables that it may come from
};

inline constexpr ServiceTokenField service_token_id_field{
    "id", "CF-Access-Client-Id", "--service-token-id or TUNNEL_SERVICE_TOKEN_ID"};
inline constexpr ServiceTokenField service_token_secret_field{
    "secret", "CF-Access-Client-Secret",
    "--service-token-secret, --service-token-secret-file or TUNNEL_SERVICE_TOKEN_SECRET"};

// A part of `text`: without a byte order mark and the line end of another system, and of the header
// that dashboards offer for copying its value. Throws usage Error for what can be no header's
// value.
std::string_view service_token_text(std::string_view text, const ServiceTokenField& field);

}  // namespace mayfly::cli
