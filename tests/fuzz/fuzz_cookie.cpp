// Set-Cookie, one a line.
#include "access/core/text.hpp"
#include "access/curl/http.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

std::size_t cookie_lines(std::string_view input) {
  std::size_t count = 0;
  for (Input lines(input); !lines.rest().empty(); lines.line()) ++count;
  return count;
}

// RFC 6265 sections 5.1.3 and 5.1.4, for a Set-Cookie that has one Domain or Path at most.
void check_scope(const std::string& line) {
  const auto only = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto at = line.find(name);
    const auto bare = name.substr(1);  // another one may have a blank before it
    if (at == std::string::npos || line.find(bare) != at + 1 ||
        line.find(bare, at + 2) != std::string::npos)
      return std::nullopt;
    const std::string_view rest = std::string_view(line).substr(at + name.size());
    return rest.substr(0, rest.find(';'));
  };
  const auto is_plain = [](std::string_view text) {
    return text.find_first_of(" \t") == std::string_view::npos;
  };
  if (const auto domain = only(";domain="); domain && !domain->empty() && is_plain(*domain))
    require(*domain == "vm.example.com" || *domain == ".vm.example.com" ||
                *domain == "example.com" || *domain == ".example.com",
            "a cookie is for a domain of the host");
  if (const auto path = only(";path="); path && path->starts_with('/') && is_plain(*path))
    require(*path == "/" || *path == "/a" || *path == "/a/" || *path == "/a/b",
            "a cookie is for a path of the URL");
}

const Harness harness("cookie", [](std::string_view input) {
  Response response;
  for (Input lines(input); !lines.rest().empty();)
    response.headers.add("Set-Cookie", std::string(lines.line()));
  const auto cookie = response.cookie("CF_Authorization", {"vm.example.com", 443, "/a/b", ""}, now);
  if (!cookie) return;
  if (cookie_lines(input) == 1) check_scope(to_lower(input));
  const std::string& value = cookie->value;
  require(input.find(value) != std::string_view::npos, "a value is one that was sent");
  require(value.find(';') == std::string::npos, "attributes are no part of the value");
  require(value.empty() || (std::string_view(" \t").find(value.front()) == std::string::npos &&
                            std::string_view(" \t").find(value.back()) == std::string::npos),
          "a value has no blanks around it");
  if (input.find_first_of("xX") == std::string_view::npos)  // neither Expires nor Max-Age
    require(!cookie->expires, "who says no expiry has none");
  else if (cookie->expires)
    // What is compared with the clock must not have wrapped around.
    require(cookie->expires->time_since_epoch() < std::chrono::hours(24 * 366) * 100000,
            "an expiry is a time");
});

}  // namespace
}  // namespace mayfly::fuzz
