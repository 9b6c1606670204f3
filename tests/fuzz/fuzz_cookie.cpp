// Set-Cookie, one a line.
#include "access/transport/request/http.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

const Harness harness("cookie", [](std::string_view input) {
  Response response;
  for (Input lines(input); !lines.rest().empty();)
    response.headers.emplace_back("Set-Cookie", lines.line());
  const auto cookie = response.cookie("CF_Authorization", now);
  if (!cookie) return;
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
