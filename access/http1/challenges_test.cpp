// The challenges of WWW-Authenticate; the well-formed examples are those of RFC 9110
// section 11.6.1, RFC 7617 section 2, RFC 6750 section 3, RFC 4559 section 5 and RFC 9728
// section 5.1.
#include "access/http1/challenges.hpp"

#include <doctest/doctest.h>

using namespace mayfly;

namespace {

// Writes challenges as "scheme name=value|name=value; scheme".
std::string text_of(std::string_view value) {
  std::string text;
  for (const Challenge& one : parse_challenges(value)) {
    text += (text.empty() ? "" : "; ") + one.scheme;
    for (const Header& parameter : one.parameters)
      text += (&parameter == &one.parameters.front() ? " " : "|") + parameter.name + "=" +
              parameter.value;
  }
  return text;
}

}  // namespace

TEST_CASE("challenges are read as RFC 9110 writes them") {
  CHECK(
      text_of(R"(Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"")") ==
      R"(Basic realm=simple; Newauth realm=apps|type=1|title=Login to "apps")");
  CHECK(text_of(R"(Basic realm="WallyWorld")") == "Basic realm=WallyWorld");
  CHECK(
      text_of(
          R"(Bearer realm="example", error="invalid_token", error_description="expired, gone")") ==
      "Bearer realm=example|error=invalid_token|error_description=expired, gone");
  CHECK(text_of("Negotiate") == "Negotiate");
  CHECK(text_of("Negotiate a87421000492aa874209af8bc028==, Basic realm = x") ==
        "Negotiate; Basic realm=x");
  CHECK(text_of(R"(Bearer resource_metadata="https://resource.example.com/.well-known/x")") ==
        "Bearer resource_metadata=https://resource.example.com/.well-known/x");
  CHECK(text_of(R"(,, Basic , ,Digest realm="",)") == "Basic; Digest realm=");
  CHECK(text_of("").empty());
}

TEST_CASE("a value that does not follow the grammar holds no challenge") {
  for (const char* value :
       {R"(Basic realm="open)", R"(Basic realm="x" Cloudflare-Access)", R"(Basic realm="x"y)",
        R"(Basic realm="\)", R"("Cloudflare-Access")", "Basic =x, Bearer", "Basic a b",
        "Cloudflare-Access\"", "(Bearer)", "Basic realm=\"x\"; Bearer"}) {
    CAPTURE(value);
    CHECK(parse_challenges(value).empty());
  }
}

TEST_CASE("a quoted text is no challenge") {
  CHECK(text_of(R"(Basic realm="x, Bearer resource_metadata=\"https://vm.example.com/\"")") ==
        R"(Basic realm=x, Bearer resource_metadata="https://vm.example.com/")");
}

TEST_CASE("a parameter that is named twice has no value") {
  const auto challenges = parse_challenges("Bearer realm=a, Realm=b, error=c");
  REQUIRE(challenges.size() == 1);
  CHECK(challenges[0].is_of("bearer"));
  CHECK_FALSE(challenges[0].parameter("realm"));
  CHECK(challenges[0].parameter("ERROR") == "c");
  CHECK_FALSE(challenges[0].parameter("scope"));
}

TEST_CASE("the challenges of several headers are read one by one") {
  const Headers headers = {{"WWW-Authenticate", "Basic realm=\"open"},
                           {"www-authenticate", "Bearer"},
                           {"Proxy-Authenticate", "Digest"}};
  const auto challenges = challenges_in(headers);
  REQUIRE(challenges.size() == 1);
  CHECK(challenges[0].is_of("Bearer"));
}
