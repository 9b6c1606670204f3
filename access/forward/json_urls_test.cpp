// URLs of the application in JSON (RFC 8259) that arrives in pieces.
#include "access/forward/json_urls.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

using namespace mayfly;

namespace {

SitePair site(const char* application = "app.example.com") {
  return {.local = "127.0.0.1:8080", .application = parse_url(application)};
}

std::string changed(std::string_view text, const SitePair& of = site(),
                    std::size_t piece = std::string_view::npos) {
  JsonUrls urls(of);
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
    out += urls.take(text.substr(0, piece));
  return out + urls.take_rest();
}

bool is_changed(Headers headers, int status = 200) {
  return has_json_to_change({1, status, "", std::move(headers)});
}

}  // namespace

TEST_CASE("strings in JSON that are URLs of the application become the listener's") {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"a":"https://app.example.com/x?y#z"})", R"({"a":"http://127.0.0.1:8080/x?y#z"})"},
      {R"(["https://app.example.com"])", R"(["http://127.0.0.1:8080"])"},
      {R"("https://app.example.com?x")", R"("http://127.0.0.1:8080?x")"},
      {R"("https://app.example.com#x")", R"("http://127.0.0.1:8080#x")"},
      {R"("https://app.example.com:443/")", R"("http://127.0.0.1:8080/")"},
      {R"("HTTPS://App.Example.com/X")", R"("http://127.0.0.1:8080/X")"},
      {R"("http://app.example.com/")", R"("http://127.0.0.1:8080/")"},
      {R"("//app.example.com/")", R"("http://127.0.0.1:8080/")"},
      {R"("wss://app.example.com/ws")", R"("ws://127.0.0.1:8080/ws")"},
      {R"("ws://app.example.com/ws")", R"("ws://127.0.0.1:8080/ws")"},
      // A slash may be written in three ways (RFC 8259 section 7).
      {R"("https:\/\/app.example.com\/x\/y")", R"("http://127.0.0.1:8080\/x\/y")"},
      {R"("https:\u002f\u002Fapp.example.com\u002fx")", R"("http://127.0.0.1:8080\u002fx")"},
      {R"("\u0068ttps://app.example.com/\u00e9")", R"("http://127.0.0.1:8080/\u00e9")"},
      {R"({"https://app.example.com/":"https://app.example.com/a","b":"https://app.example.com/b"})",
       R"({"http://127.0.0.1:8080/":"http://127.0.0.1:8080/a","b":"http://127.0.0.1:8080/b"})"},
      {R"({"a\"":"https://app.example.com/\"","b\\":"https://app.example.com/\\"})",
       R"({"a\"":"http://127.0.0.1:8080/\"","b\\":"http://127.0.0.1:8080/\\"})"}};
  for (const auto& [text, expected] : rows) {
    CAPTURE(text);
    CHECK(changed(text) == expected);
    CHECK(nlohmann::json::accept(expected));
    for (const std::size_t piece : {1, 2, 3, 7}) CHECK(changed(text, site(), piece) == expected);
  }
  CHECK(changed(R"("https://app.example.com:8443/")", site("app.example.com:8443")) ==
        R"("http://127.0.0.1:8080/")");
  CHECK(changed(R"("https://[2001:db8::1]/")", site("[2001:db8::1]")) ==
        R"("http://127.0.0.1:8080/")");
}

TEST_CASE("other hosts, texts and what is no JSON stay as they are") {
  for (const char* text : {R"("https://app.example.com.evil.example/")",
                           R"("https://app.example.com@evil.example/")",
                           R"("https://app.example.com:x@evil.example/")",
                           R"("https://app.example.com:8443/")",
                           R"("https://app.example.com:443@evil.example/")",
                           R"("https://app.example.com:4430/")",
                           R"("https://app.example.com\u002eevil.example/")",
                           R"("https://app.example.com\\@evil/")",
                           R"("https://app.example.com\"@evil.example/")",
                           R"("https://app.example.com\n@evil/")",
                           R"("https://app.example.com evil@evil.example/")",
                           R"("https://app.example.com,x@evil/")",
                           R"("https://app.example.com\u0000/")",
                           R"("https://app.example.com\u00e9/")",
                           R"("https://app.example.com\u2044@evil/")",
                           "\"https://app.example.com\xc3\xa9/\"",
                           R"("https://evil.example/?https://app.example.com/")",
                           R"("xhttps://app.example.com/")",
                           R"("git+https://app.example.com/")",
                           R"("see https://app.example.com/")",
                           R"("https:\\/\\/app.example.com/")",
                           R"("https:/app.example.com/")",
                           R"("https%3A%2F%2Fapp.example.com/")",
                           R"("app.example.com/x")",
                           R"("ftp://app.example.com/")",
                           R"({"a":1,"b":[true,null,"","\"","\\","\u00e9"]})",
                           R"("https://app.example.com\u00zz/")",
                           "https://app.example.com/",
                           "\"https://app.example.com",
                           "\"https:\\",
                           "\"https:\\u00",
                           "\"\\u\"",
                           ""}) {
    CAPTURE(text);
    CHECK(changed(text) == text);
    CHECK(changed(text, site(), 1) == text);
  }
  CHECK(changed(R"("https://app.example.com/")", site("app.example.com:8443")) ==
        R"("https://app.example.com/")");
}

TEST_CASE("JSON passes at once, but for the beginning of a URL") {
  JsonUrls urls(site());
  CHECK(urls.take("{\"event\":1}\n") == "{\"event\":1}\n");
  CHECK(urls.take("\"https://app.exam") == "\"");
  CHECK(urls.take("ple.com/") == "http://127.0.0.1:8080/");
  CHECK(urls.take(std::string(100'000, 'x')).size() == 100'000);
  CHECK(urls.take("\"") == "\"");
  CHECK(urls.take_rest().empty());
}

TEST_CASE("only JSON that nothing binds is changed") {
  for (const char* type :
       {"application/json", "Application/JSON; charset=utf-8", "application/vnd.git-lfs+json",
        "application/vnd.npm.install-v1+json", "application/problem+json;x=y"})
    CHECK(is_changed({{"Content-Type", type}}));
  for (const char* type :
       {"text/html", "text/json", "application/x-json", "application/jsonp", "application/json5",
        "", "application/octet-stream", "application/x-ndjson", "image/svg+json",
        // What a client finds by its digest, or whose signature it checks.
        "application/vnd.oci.image.index.v1+json", "application/jose+json",
        "application/vnd.docker.distribution.manifest.v2+json"}) {
    CAPTURE(type);
    CHECK_FALSE(is_changed({{"Content-Type", type}}));
  }
  CHECK_FALSE(is_changed({}));
  CHECK_FALSE(is_changed({{"Content-Type", "application/json"}, {"Content-Type", "text/plain"}}));
  CHECK(is_changed({}, 304));
  CHECK_FALSE(is_changed({{"Content-Type", "text/html"}}, 304));
  const auto with = [](const char* name, const char* value) {
    return is_changed({{"Content-Type", "application/json"}, {name, value}});
  };
  CHECK(with("Content-Encoding", "identity"));
  CHECK(with("ETag", "\"x\""));
  CHECK_FALSE(with("Content-Encoding", "gzip"));
  CHECK_FALSE(with("Cache-Control", "no-cache, no-transform"));
  for (const char* name :
       {"Content-Digest", "Repr-Digest", "Digest", "Content-MD5", "Docker-Content-Digest"})
    CHECK_FALSE(with(name, "x"));
}
