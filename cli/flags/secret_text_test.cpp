// Service tokens as they are copied out of dashboards and files.
#include "cli/flags/secret_text.hpp"

#include <doctest/doctest.h>

#include <string>

#include "access/core/error.hpp"

using namespace mayfly;
using namespace mayfly::cli;

namespace {

std::string id(std::string_view text) {
  return std::string(service_token_text(text, service_token_id_field));
}

std::string refusal(std::string_view text) {
  try {
    id(text);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK_FALSE(error.hint().empty());
    return error.message();
  }
  return "not refused";
}

}  // namespace

TEST_CASE("service token text: what an editor or a dashboard adds is taken away") {
  for (const char* text : {"ci.access", "ci.access\r", "ci.access\r\n", " ci.access\t",
                           "\xEF\xBB\xBF"
                           "ci.access",
                           "CF-Access-Client-Id: ci.access", "cf-access-client-id:ci.access\r",
                           "\xEF\xBB\xBF"
                           "CF-Access-Client-Id:  ci.access\r\n"}) {
    CAPTURE(text);
    CHECK(id(text) == "ci.access");
  }
  CHECK(id("CF-Access-Client-Ids:x") == "CF-Access-Client-Ids:x");
  CHECK(id("CF-Access-Client-Id") == "CF-Access-Client-Id");
  CHECK(service_token_text("CF-Access-Client-Secret: s\r", service_token_secret_field) == "s");
}

TEST_CASE("service token text: what no header can carry is refused, with its flag and variable") {
  for (const std::string_view text :
       {std::string_view("ci\r.access"), std::string_view("ci access"), std::string_view("c\0i", 3),
        std::string_view("\xFF\xFE"
                         "c\0i\0",
                         6),
        std::string_view("CF-Access-Client-Secret: s"), std::string_view("ci.access\x7f")})
    CHECK(refusal(text) ==
          "cannot use the service token's id (--service-token-id or TUNNEL_SERVICE_TOKEN_ID): it "
          "holds something other than letters, digits and signs of ASCII");
  for (const std::string_view text : {"", "\r", "\xEF\xBB\xBF", "CF-Access-Client-Id:"})
    CHECK(refusal(text).ends_with("it is empty"));
}
