// URLs of the application in headers.
#include "access/forward/local_urls.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace mayfly;

namespace {

SitePair site() {
  return {.local = "127.0.0.1:8080", .application = parse_url("app.example.com")};
}

struct Row {
  const char *value, *expected;
};

}  // namespace

TEST_CASE("links name the listener (RFC 8288)") {
  const Row rows[] = {
      {R"(<https://app.example.com/?page=2>; rel="next", <https://other.example/>; rel="last")",
       R"(<http://127.0.0.1:8080/?page=2>; rel="next", <https://other.example/>; rel="last")"},
      {R"(</x>; rel=preload; anchor="https://app.example.com/a"; title="a \"<b>\" c")",
       R"(</x>; rel=preload; anchor="http://127.0.0.1:8080/a"; title="a \"<b>\" c")"},
      {R"(<https://app.example.com.evil.example/>)", R"(<https://app.example.com.evil.example/>)"},
      {R"(<https://app.example.com/)", R"(<https://app.example.com/)"},
      {R"(a; title="https://app.example.com/)", R"(a; title="https://app.example.com/)"},
      {"<", "<"},
      {"", ""}};
  for (const auto& [value, expected] : rows) CHECK(local_link(value, site()) == expected);
}

TEST_CASE("a refresh leads to the listener (HTML, section 7.5)") {
  const Row rows[] = {
      {"5; url=https://app.example.com/x", "5; url=http://127.0.0.1:8080/x"},
      {"0;URL = 'https://app.example.com/x' rest", "0;URL = 'http://127.0.0.1:8080/x' rest"},
      {"0, \"https://app.example.com/x", "0, \"http://127.0.0.1:8080/x"},
      {"1.5 https://app.example.com/x", "1.5 http://127.0.0.1:8080/x"},
      {"5; url=https://app.example.com.evil.example/",
       "5; url=https://app.example.com.evil.example/"},
      {"5; url=/x", "5; url=/x"},
      {"5", "5"},
      {"5;", "5;"},
      {"5;url", "5;url"},
      {"5;url=", "5;url="},
      {"5;url='", "5;url='"},
      {"", ""}};
  for (const auto& [value, expected] : rows) CHECK(local_refresh(value, site()) == expected);
}

TEST_CASE("a bearer's realm is at the listener, and no other scheme's changes") {
  const Row rows[] = {
      {R"(Bearer realm="https://app.example.com/token",service="r",scope="repository:x:pull")",
       R"(Bearer realm="http://127.0.0.1:8080/token",service="r",scope="repository:x:pull")"},
      {R"(Basic abc=, bearer error="x", resource_metadata="https://app.example.com/.well-known/x")",
       R"(Basic abc=, bearer error="x", resource_metadata="http://127.0.0.1:8080/.well-known/x")"},
      {R"(Bearer realm="https://auth.example/token")",
       R"(Bearer realm="https://auth.example/token")"},
      {R"(Bearer realm="https://app.example.com@evil.example/")",
       R"(Bearer realm="https://app.example.com@evil.example/")"},
      {R"(Digest realm="https://app.example.com/")", R"(Digest realm="https://app.example.com/")"},
      {R"(Basic realm="https://app.example.com/", Bearer realm="https://app.example.com/")",
       R"(Basic realm="https://app.example.com/", Bearer realm="https://app.example.com/")"},
      {R"(Bearer realm="https://app.example.com/)", R"(Bearer realm="https://app.example.com/)"}};
  for (const auto& [value, expected] : rows) CHECK(local_challenges(value, site()) == expected);
}
