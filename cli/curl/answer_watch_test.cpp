// The heads are written as curl's --dump-header writes them (curl 7.88 over HTTP/1.1 and HTTP/2).
#include "cli/curl/answer_watch.hpp"

#include <doctest/doctest.h>

namespace mayfly::cli {
namespace {

constexpr std::string_view challenge =
    "HTTP/1.1 401 Unauthorized\r\nserver: cloudflare\r\nCF-RAY: 8f1c-FRA\r\nWWW-Authenticate: "
    "Cloudflare-Access "
    "resource_metadata=\"https://web.example.com/.well-known/"
    "cloudflare-access-protected-resource/\"\r\n\r\n";

AnswerWatch watched(std::string_view text, std::size_t piece = 4096) {
  AnswerWatch watch(parse_url("https://web.example.com/a"), "acme.cloudflareaccess.com");
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
    watch.feed(text.substr(0, piece));
  return watch;
}

TEST_CASE("answer_watch: a refusal of Access is seen in pieces of any size") {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
    const AnswerWatch watch = watched(challenge, piece);
    REQUIRE(watch.refusal());
    CHECK(watch.refusal()->reference() == "HTTP 401, cf-ray 8f1c-FRA");
  }
  CHECK(watched("HTTP/2 403 \r\ncf-access-aud: ab\r\n\r\n").refusal()->status == 403);
  CHECK(watched("HTTP/1.1 302 Found\r\nLocation: https://acme.cloudflareaccess.com/cdn-cgi/access/"
                "login/web.example.com\r\n\r\n")
            .refusal());
}

TEST_CASE("answer_watch: the origin's own answers are no refusal") {
  for (const char* text :
       {"", "HTTP/2 403 \r\nserver: nginx\r\n\r\n", "HTTP/2 403 \r\ncf-access-aud: ab\r\n",
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: https://evil.cloudflareaccess.com/cdn-cgi/access/login/x"
        "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nWWW-Authenticate: Cloudflare-Access\r\n\r\n", "garbage\r\n\r\n"}) {
    CAPTURE(text);
    CHECK_FALSE(watched(text).refusal());
  }
}

TEST_CASE("answer_watch: a refusal among several answers counts") {
  const std::string ok = "HTTP/1.1 200 OK\r\n\r\n";
  CHECK(watched(ok + std::string(challenge) + ok).refusal());
}

TEST_CASE("answer_watch: redirects to another origin are told from others") {
  const auto leads = [](const std::string& location) {
    return watched("HTTP/1.1 301 Moved\r\nLocation: " + location + "\r\n\r\n").leads_elsewhere();
  };
  CHECK(leads("https://other.example.com/"));
  CHECK(leads("https://web.example.com:8443/"));
  CHECK(leads("http://web.example.com/"));
  CHECK_FALSE(leads("https://WEB.example.com/b"));
  CHECK_FALSE(leads("/b"));
  CHECK_FALSE(watched("HTTP/1.1 200 OK\r\nLocation: https://x.example/\r\n\r\n").leads_elsewhere());
}

}  // namespace
}  // namespace mayfly::cli
