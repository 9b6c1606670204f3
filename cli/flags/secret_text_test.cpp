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

// The forms of docs/protocol.md section 2, with made-up digits.
TEST_CASE(
    "service token text: an id in place of the secret is recognised, and the other way round") {
  const std::string old_secret(64, 'a');
  const std::string new_secret = "cfast_" + std::string(48, 'b');
  const auto secret = [](std::string_view text) {
    return std::string(service_token_text(text, service_token_secret_field));
  };
  for (const std::string& text : {old_secret, new_secret}) {
    CAPTURE(text);
    CHECK(refusal(text).find("may be swapped") != std::string::npos);
    CHECK(refusal(text).find(text) == std::string::npos);
    CHECK(secret(text) == text);
  }
  CHECK_THROWS_AS(secret("88bf3b6d86161464f6509f7219099e57.access"), Error);
  CHECK_THROWS_AS(secret("CF-Access-Client-Secret: ci.access\r\n"), Error);
  // People leave ".access" off; such an id has 32 digits.
  CHECK(id("88bf3b6d86161464f6509f7219099e57") == "88bf3b6d86161464f6509f7219099e57");
  CHECK(id("88bf3b6d86161464f6509f7219099e57.access") == "88bf3b6d86161464f6509f7219099e57.access");
}
