#include "access/core/url.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "access/core/error.hpp"

namespace mayfly {
namespace {

using namespace std::string_view_literals;

// What the function throws, or nothing.
template <typename Function>
std::optional<Error> error_of(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

TEST_SUITE("core/url") {
  TEST_CASE("an application as people write it") {
    struct {
      std::string_view given;
      Url url;
      std::string_view text;
    } const cases[] = {
        {"vm.example.com", {"vm.example.com", 443, "", ""}, "https://vm.example.com"},
        {"VM.Example.COM", {"vm.example.com", 443, "", ""}, "https://vm.example.com"},
        {"vm.example.com.", {"vm.example.com", 443, "", ""}, "https://vm.example.com"},
        {"vm.example.com/", {"vm.example.com", 443, "/", ""}, "https://vm.example.com/"},
        {"h.example/A/b%2Fc", {"h.example", 443, "/A/b%2Fc", ""}, "https://h.example/A/b%2Fc"},
        {"h.example:8443", {"h.example", 8443, "", ""}, "https://h.example:8443"},
        {"h.example.:8443", {"h.example", 8443, "", ""}, "https://h.example:8443"},
        {"h.example:443/x", {"h.example", 443, "/x", ""}, "https://h.example/x"},
        {"h.example:/x", {"h.example", 443, "/x", ""}, "https://h.example/x"},
        {"h.example:65535", {"h.example", 65535, "", ""}, "https://h.example:65535"},
        {"h.example?a=b", {"h.example", 443, "", "a=b"}, "https://h.example?a=b"},
        {"h.example/p?a=/?b", {"h.example", 443, "/p", "a=/?b"}, "https://h.example/p?a=/?b"},
        {"h.example/p#f?x/y", {"h.example", 443, "/p", ""}, "https://h.example/p"},
        {"h.example#f", {"h.example", 443, "", ""}, "https://h.example"},
        {"h.example?a#f", {"h.example", 443, "", "a"}, "https://h.example?a"},
        {"h.example/?u=https://x",
         {"h.example", 443, "/", "u=https://x"},
         "https://h.example/?u=https://x"},
        {"h.example/a://b", {"h.example", 443, "/a://b", ""}, "https://h.example/a://b"},
        {"https://h.example", {"h.example", 443, "", ""}, "https://h.example"},
        {"HTTPS://H.example/P", {"h.example", 443, "/P", ""}, "https://h.example/P"},
        {"http://h.example/p", {"h.example", 443, "/p", ""}, "https://h.example/p"},
        {"https://h.example?@evil.example",
         {"h.example", 443, "", "@evil.example"},
         "https://h.example?@evil.example"},
        {"https://h.example/@evil.example",
         {"h.example", 443, "/@evil.example", ""},
         "https://h.example/@evil.example"},
        {"https://h.example#@evil.example", {"h.example", 443, "", ""}, "https://h.example"},
        {"127.0.0.1:8443", {"127.0.0.1", 8443, "", ""}, "https://127.0.0.1:8443"},
        {"::1", {"::1", 443, "", ""}, "https://[::1]"},
        {"2001:DB8::1/p", {"2001:db8::1", 443, "/p", ""}, "https://[2001:db8::1]/p"},
        {"[::1]", {"::1", 443, "", ""}, "https://[::1]"},
        {"[0:0::0001]", {"::1", 443, "", ""}, "https://[::1]"},
        {"2001:db8:0:0:0:0:0:1", {"2001:db8::1", 443, "", ""}, "https://[2001:db8::1]"},
        {"[::1]:8443/p", {"::1", 8443, "/p", ""}, "https://[::1]:8443/p"},
        {"https://[::ffff:1.2.3.4]", {"::ffff:1.2.3.4", 443, "", ""}, "https://[::ffff:1.2.3.4]"},
        {"bücher.example:8443/p",
         {"xn--bcher-kva.example", 8443, "/p", ""},
         "https://xn--bcher-kva.example:8443/p"},
        {"https://faß.de", {"xn--fa-hia.de", 443, "", ""}, "https://xn--fa-hia.de"},
        // What RFC 3986 does not allow there, as browsers send it.
        {"h.example/{x}|<y>",
         {"h.example", 443, "/%7Bx%7D%7C%3Cy%3E", ""},
         "https://h.example/%7Bx%7D%7C%3Cy%3E"},
        {"h.example/d?x={\"a\"}&`id`^",
         {"h.example", 443, "/d", "x=%7B%22a%22%7D&%60id%60%5E"},
         "https://h.example/d?x=%7B%22a%22%7D&%60id%60%5E"},
        {"h.example/ä%20", {"h.example", 443, "/%C3%A4%20", ""}, "https://h.example/%C3%A4%20"},
        {"my_host.example", {"my_host.example", 443, "", ""}, "https://my_host.example"},
    };
    for (const auto& wanted : cases) {
      CAPTURE(wanted.given);
      const Url parsed = parse_url(wanted.given);
      CHECK(parsed.host == wanted.url.host);
      CHECK(parsed.port == wanted.url.port);
      CHECK(parsed.path == wanted.url.path);
      CHECK(parsed.query == wanted.url.query);
      CHECK(parsed.text() == wanted.text);
      CHECK(parse_url(parsed.text()) == parsed);
    }
  }

  // RFC 3986 section 5.2.4, and the URL Standard's "single-dot" and "double-dot URL path segment";
  // each result is what Node's new URL(...).pathname says.
  TEST_CASE("dot segments are removed alike from what is typed and what is sent") {
    struct {
      std::string_view path, normal;
    } const cases[] = {
        {"/a/../b", "/b"},
        {"/a/./b", "/a/b"},
        {"/..", "/"},
        {"/.", "/"},
        {"/../../x", "/x"},
        {"/a/b/..", "/a/"},
        {"/a/b/.", "/a/b/"},
        {"/a//../b", "/a/b"},
        {"/..//evil.example", "//evil.example"},
        {"/a/%2e%2e/b", "/b"},
        {"/a/%2E./b", "/b"},
        {"/a/.%2e/b", "/b"},
        {"/a/%2e/b", "/a/b"},
        {"/a/%2E", "/a/"},
        {"/a/...", "/a/..."},
        {"/a/%2e%2e%2e", "/a/%2e%2e%2e"},
        {"/a/x%2e", "/a/x%2e"},
        {"/a/%252e%252e/b", "/a/%252e%252e/b"},
        {"/a/..%2fb", "/a/..%2fb"},
        {"/a/..;/b", "/a/..;/b"},
        {"/cdn-cgi/x/../access/login", "/cdn-cgi/access/login"},
        {"/cdn-cgi/access/login/%2e%2e/%2e%2e/other", "/cdn-cgi/other"},
    };
    const Url base = parse_url("h.example/p/q");
    for (const auto& wanted : cases) {
      CAPTURE(wanted.path);
      const std::string url = "https://h.example" + std::string(wanted.path);
      CHECK(parse_url(url).path == wanted.normal);
      CHECK(parse_url(url + "?x=/../y").query == "x=/../y");
      CHECK(resolve_location(base, url).path == wanted.normal);
      if (!wanted.path.starts_with("//"))
        CHECK(resolve_location(base, wanted.path).path == wanted.normal);
    }
  }

  TEST_CASE("authority and origin") {
    const Url url = parse_url("https://[2001:db8::1]:444/p?q");
    CHECK(url.authority() == "[2001:db8::1]:444");
    CHECK(url.origin() == "https://[2001:db8::1]:444");
    CHECK(parse_url("h.example/p").authority() == "h.example");
  }

  TEST_CASE("what is no application") {
    for (const auto text :
         {""sv, "https://"sv, "/"sv, "/path"sv, "?q"sv, "#f"sv, ":443"sv, "https:///path"sv,
          // users
          "user@h.example"sv, "https://user:pw@h.example"sv, "https://h.example@evil.example"sv,
          "https://h.example:443@evil.example"sv, "https://h.example\\@evil.example"sv,
          "[::1]@evil.example"sv, "@h.example"sv,
          // characters
          "h.example\n"sv, "\nh.example"sv, "h.example\r\nX: y"sv, " h.example"sv, "h.example "sv,
          "h .example"sv, "h.example/a b"sv, "h.example/a\tb"sv, "h.example/\x7f"sv,
          "h.example/?a b"sv, "h.example/#a\nb"sv, "h.example#\x1b[31m"sv, "h.example\0"sv,
          "h.example\0.evil.example"sv, "::1\0evil"sv, "[::1\0evil]"sv, "bücher.example\0x"sv,
          "h.example\\evil"sv, "https:\\\\h.example"sv, "h.example/a\\b"sv, "h.example/?a\\b"sv,
          "*.example"sv, "{h}.example"sv, "h%2eexample"sv, "$(id)"sv, "-oProxyCommand=x"sv,
          "\xff.example"sv, "h。\n"sv, "ｈ／ｅ.example"sv,
          // hosts
          ".example"sv, "h..example"sv, "h.example.."sv, "."sv, "256.1.1.1"sv, "1.2.3"sv, "[::1"sv,
          "::1]"sv, "https://::1"sv, "http://2001:db8::1/p"sv, "[]"sv, "[h.example]"sv,
          "[1.2.3.4]"sv, "[::1]x"sv, "[::1]x:1"sv, "[fe80::1%eth0]"sv, "fe80::1%eth0"sv, ":::"sv,
          "[::1]:x"sv,
          // ports
          "h.example:0"sv, "h.example:65536"sv, "h.example:99999999999999999999"sv,
          "h.example:-1"sv, "h.example:+1"sv, "h.example:1x"sv, "h.example:x"sv, "h.example:1:2"sv,
          "h.example: 1"sv, "[::1]:0"sv,
          // schemes
          "ssh://h.example"sv, "ws://h.example"sv, "wss://h.example"sv, "ftp://h.example"sv,
          "file:///etc/passwd"sv, "javascript:alert(1)"sv, "data:text/html,x"sv,
          "https:h.example"sv, "https://https://h.example"sv, "https:/h.example"sv,
          "://h.example"sv, "//h.example"sv}) {
      CAPTURE(text);
      const auto error = error_of([&] { parse_url(text); });
      REQUIRE(error);
      CHECK(error->kind() == ErrorKind::usage);
      CHECK(error->message().find_first_of("\n\r\x1b") == std::string::npos);
    }
  }

  // RFC 3986 section 5.4, with https for http; fragments are not sent and so not kept.
  TEST_CASE("references of RFC 3986") {
    const Url base = parse_url("https://a/b/c/d;p?q");
    struct {
      std::string_view reference, resolved;
    } const cases[] = {
        {"g", "https://a/b/c/g"},
        {"./g", "https://a/b/c/g"},
        {"g/", "https://a/b/c/g/"},
        {"/g", "https://a/g"},
        {"//g", "https://g"},
        {"?y", "https://a/b/c/d;p?y"},
        {"g?y", "https://a/b/c/g?y"},
        {"#s", "https://a/b/c/d;p?q"},
        {"g#s", "https://a/b/c/g"},
        {"g?y#s", "https://a/b/c/g?y"},
        {";x", "https://a/b/c/;x"},
        {"g;x", "https://a/b/c/g;x"},
        {"g;x?y#s", "https://a/b/c/g;x?y"},
        {".", "https://a/b/c/"},
        {"./", "https://a/b/c/"},
        {"..", "https://a/b/"},
        {"../", "https://a/b/"},
        {"../g", "https://a/b/g"},
        {"../..", "https://a/"},
        {"../../", "https://a/"},
        {"../../g", "https://a/g"},
        {"../../../g", "https://a/g"},
        {"../../../../g", "https://a/g"},
        {"/./g", "https://a/g"},
        {"/../g", "https://a/g"},
        {"g.", "https://a/b/c/g."},
        {".g", "https://a/b/c/.g"},
        {"g..", "https://a/b/c/g.."},
        {"..g", "https://a/b/c/..g"},
        {"./../g", "https://a/b/g"},
        {"./g/.", "https://a/b/c/g/"},
        {"g/./h", "https://a/b/c/g/h"},
        {"g/../h", "https://a/b/c/h"},
        {"g;x=1/./y", "https://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "https://a/b/c/y"},
        {"g?y/./x", "https://a/b/c/g?y/./x"},
        {"g?y/../x", "https://a/b/c/g?y/../x"},
        {"g#s/./x", "https://a/b/c/g"},
        {"g#s/../x", "https://a/b/c/g"},
    };
    for (const auto& wanted : cases) {
      CAPTURE(wanted.reference);
      CHECK(resolve_location(base, wanted.reference).text() == wanted.resolved);
    }
  }

  TEST_CASE("what servers send") {
    struct {
      std::string_view base, location, resolved;
    } const cases[] = {
        {"h.example", "https://team.cloudflareaccess.com/cdn-cgi/access/login/h?kid=x&meta=a.b",
         "https://team.cloudflareaccess.com/cdn-cgi/access/login/h?kid=x&meta=a.b"},
        {"h.example", "HTTPS://Other.Example", "https://other.example"},
        {"h.example:8443", "https://h.example/", "https://h.example/"},
        {"h.example:8443/p", "/x", "https://h.example:8443/x"},
        {"h.example:8443/p", "//o.example/x", "https://o.example/x"},
        {"h.example", "x", "https://h.example/x"},
        {"h.example", "?x", "https://h.example?x"},
        {"h.example/p?q", "/x", "https://h.example/x"},
        {"h.example/p", "./a:b", "https://h.example/a:b"},
        {"h.example/p", "x?u=http://y", "https://h.example/x?u=http://y"},
        {"h.example/p", "https://h.example/a/../../b", "https://h.example/b"},
        // A path that begins with two slashes is a path, not a host.
        {"h.example//evil.example/x", "y", "https://h.example//evil.example/y"},
        {"h.example//evil.example/x", "../..", "https://h.example/"},
        {"h.example/p", "/..//evil.example", "https://h.example//evil.example"},
    };
    for (const auto& wanted : cases) {
      CAPTURE(wanted.location);
      CHECK(resolve_location(parse_url(wanted.base), wanted.location).text() == wanted.resolved);
    }
  }

  TEST_CASE("redirects that are not followed") {
    const Url base = parse_url("h.example/p");
    const std::string endless = "/" + std::string(20'000, 'a');
    for (const auto location : {""sv,
                                "http://h.example/"sv,
                                "HTTP://h.example"sv,
                                "javascript:alert(1)"sv,
                                "data:text/html,x"sv,
                                "file:///etc/passwd"sv,
                                "ftp://h.example"sv,
                                "g:h"sv,
                                "mailto:a@b.example"sv,
                                "https:"sv,
                                "https:/x"sv,
                                "https:x"sv,
                                "https://"sv,
                                "https:///x"sv,
                                "//"sv,
                                "///x"sv,
                                "https://u@h.example"sv,
                                "//u@h.example"sv,
                                "https://team.cloudflareaccess.com@evil.example"sv,
                                "https://h.example\\@evil.example"sv,
                                "\\\\evil.example"sv,
                                "/\\evil.example"sv,
                                " /x"sv,
                                "/x "sv,
                                "/a b"sv,
                                "\t/x"sv,
                                "/x\r\nSet-Cookie: a=b"sv,
                                "/x\n"sv,
                                "/x\0"sv,
                                "/\x1b[31m"sv,
                                "/\xc3\xbc"sv,
                                "https://b\xc3\xbc"
                                "cher.example/"sv,
                                "https://h.example:0/"sv,
                                "https://h.example:99999/"sv,
                                "https://[::1/"sv,
                                "https://256.1.1.1/"sv,
                                std::string_view(endless)}) {
      CAPTURE(location);
      const auto error = error_of([&] { resolve_location(base, location); });
      REQUIRE(error);
      CHECK(error->kind() == ErrorKind::protocol);
      CHECK(error->message().size() < 400);
      CHECK(error->message().find_first_of("\n\r\x1b") == std::string::npos);
    }
  }

  TEST_CASE("query values") {
    constexpr auto query = "a=1&b=x%20y+z&a=2&c&d=&%65=%2F%zz%4&f=a%3Db=c"sv;
    CHECK(query_value(query, "a") == "1");
    CHECK(query_value(query, "b") == "x y z");
    CHECK(query_value(query, "c").empty());
    CHECK(query_value(query, "d").empty());
    CHECK(query_value(query, "e") == "/%zz%4");
    CHECK(query_value(query, "f") == "a=b=c");
    CHECK(query_value(query, "missing").empty());
    CHECK(query_value("", "a").empty());
    CHECK(query_value("a=%41", "a") == "A");
  }

  TEST_CASE("form encoding, with the vectors of Go's url.QueryEscape") {
    struct {
      std::string_view text, encoded;
    } const cases[] = {
        {"", ""},
        {"abc", "abc"},
        {"one two", "one+two"},
        {"10%", "10%25"},
        {" ?&=#+%!<>#\"{}|\\^[]`☺\t:/@$'()*,;",
         "+%3F%26%3D%23%2B%25%21%3C%3E%23%22%7B%7D%7C%5C%5E%5B%5D%60%E2%98%BA%09%3A%2F%40%24%27%28"
         "%29%2A%2C%3B"},
        {"AZaz09-_.~", "AZaz09-_.~"},
        {"\0\xff"sv, "%00%FF"},
    };
    for (const auto& [text, encoded] : cases) {
      CHECK(form_encode(text) == encoded);
      CHECK(query_value("v=" + form_encode(text), "v") == text);
    }
  }
}

}  // namespace
}  // namespace mayfly
