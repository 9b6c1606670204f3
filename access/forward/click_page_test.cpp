#include "access/forward/click_page.hpp"

#include <doctest/doctest.h>

#include <variant>

#include "access/forward/http_request.hpp"

using namespace mayfly;

namespace {

const LocalPlace place{.address = "127.0.0.1", .port = 8080, .names = {}};

struct Navigation {
  std::string target = "/page?code=1";
  std::string method = "GET";
  std::string site = "cross-site", mode = "navigate", destination = "document";
  std::string more = "";
};

std::variant<AskedRequest, Page> judged(const Navigation& one) {
  return judge_request(one.method + " " + one.target + " HTTP/1.1\r\n" + one.more +
                           "Host: 127.0.0.1:8080\r\nSec-Fetch-Site: " + one.site +
                           "\r\nSec-Fetch-Mode: " + one.mode +
                           "\r\nSec-Fetch-Dest: " + one.destination,
                       place, parse_url("https://wiki.example.com/"));
}

Page page_for(const Navigation& one) {
  auto answer = judged(one);
  REQUIRE(std::holds_alternative<Page>(answer));
  return std::get<Page>(std::move(answer));
}

bool has_line(const std::string& text, const std::string& line) {
  return text.find("\r\n" + line + "\r\n") != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size())
    ++found;
  return found;
}

}  // namespace

TEST_CASE("a navigation that another site began is answered with a page that has one link") {
  for (const char* site : {"cross-site", "same-site"}) {
    const Page page = page_for({.site = site});
    CHECK(page.status == 403);
    CHECK(page.link == "/page?code=1");
    const std::string text = page_text(page);
    CHECK(has_line(text, "Content-Type: text/html; charset=utf-8"));
    CHECK(count(text, "href=") == 1);
    CHECK(text.find("<a href=\"/page?code=1\" rel=\"noreferrer\">/page</a>") != std::string::npos);
  }
}

TEST_CASE("the page with one link runs nothing, is kept nowhere, and is seen by no other site") {
  const std::string text = page_text(page_for({}));
  for (const char* line :
       {"Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; sandbox",
        "Cross-Origin-Opener-Policy: same-origin", "Cross-Origin-Resource-Policy: same-origin",
        "Cache-Control: no-store", "X-Content-Type-Options: nosniff"})
    CHECK(has_line(text, line));
  CHECK(text.find("<script") == std::string::npos);
}

TEST_CASE("no link is given to a request that no person looks at") {
  for (const Navigation& one :
       {Navigation{.method = "POST"}, Navigation{.method = "HEAD"}, Navigation{.mode = "no-cors"},
        Navigation{.destination = "iframe"}, Navigation{.destination = "image"},
        Navigation{.more = "Sec-Purpose: prefetch;prerender\r\n"},
        Navigation{.more = "Purpose: prefetch\r\n"},
        Navigation{.more = "Origin: http://evil.example\r\n"}}) {
    const Page page = page_for(one);
    CHECK(page.status == 403);
    CHECK(page.link.empty());
    CHECK(has_line(page_text(page), "Content-Type: text/plain; charset=utf-8"));
  }
}

TEST_CASE("no page links to a path of Access, or out of the application") {
  for (const char* target : {"/cdn-cgi/access/cli?token=x", "//cdn-cgi/access/logout",
                             "/%63dn-cgi/access/get-identity", "/x/../cdn-cgi/access/cli"}) {
    CAPTURE(target);
    const Page page = page_for({.target = target});
    CHECK(page.status == 403);
    CHECK(page.link.empty());
    CHECK(page.message.find("path of Access") != std::string::npos);
  }
}

TEST_CASE("a link leads to this listener, however the path begins") {
  CHECK(link_to("/") == "/");
  CHECK(link_to("/a//b?c=//d") == "/a//b?c=//d");
  CHECK(link_to("//evil.example/x") == "/.//evil.example/x");
  CHECK(link_to("///evil.example/x") == "/.///evil.example/x");
  for (const char* path : {"", "evil.example", "https://evil.example/", "/\\evil.example/", "/\t/x",
                           "/\xc3\xa4", "/a b", "\\\\evil.example"})
    CHECK(link_to(path) == "");
}

TEST_CASE("nothing in a path becomes a part of the page's HTML") {
  const std::string body =
      click_page_body("<b>why</b>", "/\"><script>alert(1)</script>?a='&lt=\"><img src=x>");
  CHECK(body.find("<script") == std::string::npos);
  CHECK(body.find("<img") == std::string::npos);
  CHECK(body.find("<b>") == std::string::npos);
  CHECK(
      body.find("href=\"/&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;?a=&#39;&amp;lt=&quot;") !=
      std::string::npos);
}

TEST_CASE("a click on the link of the page passes") {
  for (const char* more : {"Sec-Fetch-User: ?1\r\n", ""})
    CHECK(std::holds_alternative<AskedRequest>(judged({.site = "same-origin", .more = more})));
}
