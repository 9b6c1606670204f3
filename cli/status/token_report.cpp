#include "cli/status/token_report.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "access/core/text.hpp"
#include "cli/terminal/json_product.hpp"
#include "cli/terminal/time_text.hpp"

namespace mayfly::cli {

std::string login_json(const Application& application, const std::optional<StoredToken>& token) {
  nlohmann::ordered_json report = {
      {"application", application.hostname}, {"identity", nullptr}, {"expires", nullptr}};
  if (token) {
    report["identity"] = token->claims.identity();
    report["expires"] = rfc3339(token->claims.expires);
  }
  return json_product(report);
}

std::string token_json(const Application& application, const StoredToken& token) {
  return json_product({{"token", token.jwt.reveal()},
                       {"expires", rfc3339(token.claims.expires)},
                       {"identity", token.claims.identity()},
                       {"audience", application.audience}});
}

std::string logged_in_line(const TokenClaims& claims, std::chrono::sys_seconds now) {
  const std::string who =
      claims.identity().empty() ? "" : fmt::format(" as {}", printable(claims.identity()));
  return fmt::format("logged in{} until {}", who, clock_text(claims.expires, now));
}

}  // namespace mayfly::cli
