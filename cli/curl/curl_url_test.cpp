#include "cli/curl/curl_url.hpp"

#include <doctest/doctest.h>

#include "access/core/error.hpp"

using namespace mayfly;
using namespace mayfly::cli;

TEST_CASE("the application of what curl is given") {
  struct Case {
    const char* argument;
    const char* application;
  };
  const Case cases[] = {
      {"h.example", "https://h.example"},
      {"HTTPS://H.example:8443/a/b%20c", "https://h.example:8443/a/b%20c"},
      {"http://h.example/a", "https://h.example/a"},
      {"h.example/a?q={x}", "https://h.example/a"},
      {"h.example?q=a|b", "https://h.example"},
      {"h.example#://@evil.example", "https://h.example"},
      {"h.example/?u=https://evil.example/", "https://h.example/?u=https://evil.example/"},
      {"h.example/a?b=1#c", "https://h.example/a?b=1"},
      {"h.example/a?b=[1-3]", "https://h.example/a"},
      {"h.example/a{b}?c", "https://h.example/"},
      {"https://h.example/a/b{c,d}/e", "https://h.example/a/"},
      {"https://h.example/a/b[1-3]", "https://h.example/a/"},
      {"https://h.example/a/\"b\"|c", "https://h.example/a/"},
      {"https://h.example/{a}", "https://h.example/"},
      {"https://h.example/a\\@evil.example", "https://h.example/"},
      {"https://user:pw@h.example/a", "https://h.example/a"},
      {"user@h.example:8443", "https://h.example:8443"},
      {"https://us%40er:p|w@[::1]:444/", "https://[::1]:444/"},
      {"https://h.example/@evil.example", "https://h.example/@evil.example"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.argument);
    CHECK(parse_curl_url(one.argument).text() == one.application);
  }
}

TEST_CASE("a query or fragment in a glob ends the path of some results alone") {
  const std::string h = "https://h.example";
  for (const char* end :
       {"/cdn-cgi/{?,access/cli}?aud=x&token=y", "/cdn-cgi/{#,access/cli}",
        "/{?,cdn-cgi/access/cli}", "/{#,cdn-cgi/access/cli}?a", "/{a,b?}{c,dn-cgi/access/cli}",
        "/{\\{?,cdn-cgi/access/cli}", "/{?,cdn-cgi/access/cli"}) {
    CAPTURE(end);
    CHECK_THROWS_AS(refuse_access_in_curl_url(h + end), Error);
  }
  for (const char* end : {"/a?q={x,y}&u=cdn-cgi/access", "/{a,b}?u=/cdn-cgi/access/cli",
                          "/{a,b}#cdn-cgi/access", "/page[1-9]?filter[x]=1"}) {
    CAPTURE(end);
    CHECK_NOTHROW(refuse_access_in_curl_url(h + end));
  }
  CHECK(before_query_of_globs("h/{a,b?}/c?d") == "h/{a,b?}/c");
  CHECK(before_query_of_globs("h/{a,b}#c?d") == "h/{a,b}");
  CHECK(before_query_of_globs("h/{a?b") == "h/{a?b");
}

TEST_CASE("a host that curl might read differently is refused") {
  for (const char* argument :
       {"https://{a,b}.example/", "https://h[1-3].example/", "https://{a/,b}@h.example/",
        "https://{a,b}@h.example/", "https://[1-2]@h.example/", "https://h.example\\@evil.example/",
        "https://evil.example@h.example@evil.example/", "https://u@h.example\\evil.example/",
        "https://u@{a,b}/", "ftp://h.example/", "h .example", "https://", "https:h.example"}) {
    CAPTURE(argument);
    CHECK_THROWS_AS(parse_curl_url(argument), Error);
  }
}
