// What changes between the local listener and the application (RFC 9110 section 7.6, RFC 6265).
#include "access/forward/http_rewrite.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <string>

using namespace mayfly;

namespace {

SitePair site() {
  return {.local = "127.0.0.1:8080", .application = parse_url("app.example.com")};
}

RequestHead request(Headers headers, std::string target = "/a?b") {
  Headers all = {{"Host", "127.0.0.1:8080"}};
  all.add(headers);
  return {"GET", std::move(target), 1, std::move(all)};
}

std::string sent(Headers headers, RequestChanges changes = {}) {
  changes.site = site();
  return request_text(request(std::move(headers)), changes);
}

std::string received(Headers headers, ResponseChanges changes = {}) {
  changes.site = site();
  return response_text({1, 200, "OK", std::move(headers)}, changes);
}

const std::string request_begin = "GET /a?b HTTP/1.1\r\nHost: app.example.com\r\n";
const std::string answer_begin =
    "HTTP/1.1 200 OK\r\nCross-Origin-Resource-Policy: same-origin\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Content-Security-Policy: frame-ancestors 'self'\r\n";

}  // namespace

TEST_CASE("the application is asked under its own name") {
  CHECK(sent({}) == request_begin + "\r\n");
  CHECK(sent({{"Origin", "http://127.0.0.1:8080"},
              {"Referer", "http://127.0.0.1:8080/x?y"},
              {"Destination", "http://127.0.0.1:8080/dav"},
              {"X-Other", "http://127.0.0.1:8080/"}}) ==
        request_begin +
            "Origin: https://app.example.com\r\nReferer: https://app.example.com/x?y\r\n"
            "Destination: https://app.example.com/dav\r\nX-Other: http://127.0.0.1:8080/\r\n\r\n");
  CHECK(sent({{"Referer", "https://search.example/"}}) ==
        request_begin + "Referer: https://search.example/\r\n\r\n");
  CHECK(sent({{"Referer", "http://127.0.0.1:80801/"}}) ==
        request_begin + "Referer: http://127.0.0.1:80801/\r\n\r\n");
}

TEST_CASE("what opens the application replaces what a program sends for it") {
  RequestChanges changes;
  changes.added = {{"Cf-Access-Token", "fresh"}, {"X-One", "1"}};
  CHECK(sent({{"cf-access-token", "stale"},
              {"CF-Access-Client-Secret", "x"},
              {"Cf_Access_Token", "stale"},
              {"cf-access_jwt-Assertion", "forged"},
              {"x-one", "0"},
              {"Cookie", "a=b; CF_Authorization=old;CF_AppSession=s; c=d"},
              {"Cookie", "CF_Authorization=old"}},
             changes) ==
        request_begin + "Cookie: a=b; c=d\r\nCf-Access-Token: fresh\r\nX-One: 1\r\n\r\n");
}

TEST_CASE("what is between two hops stays there") {
  CHECK(sent({{"Connection", "keep-alive, X-Hop"},
              {"X-Hop", "1"},
              {"Keep-Alive", "timeout=5"},
              {"Proxy-Connection", "keep-alive"},
              {"Proxy-Authorization", "Basic x"},
              {"TE", "trailers"},
              {"Trailer", "X-Sum"},
              {"Upgrade", "h2c"},
              {"Accept", "*/*"}}) == request_begin + "Accept: */*\r\n\r\n");
  CHECK(
      received(
          {{"Connection", "X-Hop, close"}, {"X-Hop", "1"}, {"Keep-Alive", "x"}, {"Server", "s"}}) ==
      answer_begin + "Server: s\r\n\r\n");
}

TEST_CASE("a body is announced as it is sent") {
  RequestChanges changes;
  changes.body = {BodyFraming::Kind::length, 5};
  CHECK(sent({{"Content-Length", "5"}}, changes) == request_begin + "Content-Length: 5\r\n\r\n");
  changes.body = {BodyFraming::Kind::chunked, 0};
  CHECK(sent({{"Transfer-Encoding", "Chunked"}}, changes) ==
        request_begin + "Transfer-Encoding: chunked\r\n\r\n");
  RequestHead post = request({});
  post.method = "POST";
  CHECK(request_text(post, {.site = site(), .added = {}, .body = {}}) ==
        "POST /a?b HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("an upgrade to WebSocket goes through, others do not") {
  const Headers headers = {
      {"Connection", "keep-alive, Upgrade"}, {"Upgrade", "WebSocket"}, {"Sec-WebSocket-Key", "k"}};
  CHECK(wants_websocket(request(headers)));
  RequestChanges changes;
  changes.upgrade = RequestChanges::Upgrade::websocket;
  CHECK(sent(headers, changes) == request_begin +
                                      "Sec-WebSocket-Key: k\r\nConnection: Upgrade\r\n"
                                      "Upgrade: websocket\r\n\r\n");
  CHECK_FALSE(wants_websocket(request({{"Connection", "Upgrade"}, {"Upgrade", "h2c"}})));
  CHECK_FALSE(wants_websocket(request({{"Upgrade", "websocket"}})));
  CHECK_FALSE(wants_websocket(request({{"Connection", "Upgrade"}})));
}

TEST_CASE("targets of this site, and of no other") {
  const auto path = [](std::string target) {
    return path_of_target(request({}, std::move(target)));
  };
  CHECK(path("/x?y") == "/x?y");
  CHECK(path("//x") == "//x");
  CHECK(path("http://127.0.0.1:8080/x") == "/x");
  CHECK(path("HTTP://127.0.0.1:8080?x") == "/?x");
  for (const char* target :
       {"*", "x", "http://evil.example/", "http://127.0.0.1:80801/", "https://127.0.0.1:8080/",
        "http://127.0.0.1:8080@evil.example/", "127.0.0.1:443"}) {
    CAPTURE(target);
    CHECK(path(target) == "");
  }
}

TEST_CASE("an application on a path ends there") {
  CHECK(is_below("/anything", ""));
  CHECK(is_below("/anything/../else", "/"));
  for (const char* path : {"/admin", "/admin/", "/admin/x", "/admin?x=/../", "/admin/.x"})
    CHECK(is_below(path, "/admin"));
  for (const char* path :
       {"/", "/administrator", "/other", "/admin/../other", "/admin/%2e%2E/other", "/admin/.%2e/",
        "/admin%2f..", "/admin/..", "/admin/x\\..\\y", "/Admin"}) {
    CAPTURE(path);
    CHECK_FALSE(is_below(path, "/admin"));
  }
}

TEST_CASE("redirects come back to the listener, and none takes it elsewhere") {
  const std::pair<const char*, const char*> rows[] = {
      {"https://app.example.com/x?y#z", "http://127.0.0.1:8080/x?y#z"},
      {"https://APP.example.com", "http://127.0.0.1:8080"},
      {"https://app.example.com:443/", "http://127.0.0.1:8080/"},
      {"http://app.example.com/", "http://127.0.0.1:8080/"},
      {"//app.example.com/x", "http://127.0.0.1:8080/x"},
      {"/relative", "/relative"},
      {"https://app.example.com.evil.example/", "https://app.example.com.evil.example/"},
      {"https://app.example.com@evil.example/", "https://app.example.com@evil.example/"},
      {"https://app.example.com:8443/", "https://app.example.com:8443/"},
      {"https://other.example.com/", "https://other.example.com/"}};
  for (const auto& row : rows) {
    CAPTURE(row.first);
    CHECK(local_url(row.first, site()) == row.second);
  }
  CHECK(received({{"Location", "https://app.example.com/x"},
                  {"Access-Control-Allow-Origin", "https://app.example.com"},
                  {"Strict-Transport-Security", "max-age=1"},
                  {"Alt-Svc", "h3=\":443\""}}) ==
        answer_begin +
            "Location: http://127.0.0.1:8080/x\r\n"
            "Access-Control-Allow-Origin: http://127.0.0.1:8080\r\n\r\n");
}

TEST_CASE("a response allows no page of another origin to read it") {
  for (const char* origin : {"*", "null", "http://127.0.0.1:9090", "https://other.example.com",
                             "https://app.example.com/", "https://app.example.com.evil.example"}) {
    CAPTURE(origin);
    CHECK(received({{"Access-Control-Allow-Origin", origin}}) == answer_begin + "\r\n");
  }
}

TEST_CASE("answers are for pages of the listener") {
  CHECK(received({{"Cross-Origin-Resource-Policy", "cross-origin"}}) == answer_begin + "\r\n");
  CHECK(received({{"Cross-Origin-Opener-Policy", "unsafe-none"}}) == answer_begin + "\r\n");
  // Of several of these each one counts: the application's stays.
  CHECK(received({{"Content-Security-Policy", "default-src 'self'"}}) ==
        answer_begin + "Content-Security-Policy: default-src 'self'\r\n\r\n");
  CHECK(response_text({1, 100, "Continue", {}}, {.site = site(), .body = {}}) ==
        "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST_CASE("pages say to the listener that they are its own") {
  const auto policy = [](const std::string& value) {
    return received({{"Referrer-Policy", value}});
  };
  const std::string own = answer_begin + "Referrer-Policy: same-origin\r\n\r\n";
  CHECK(policy("no-referrer") == own);
  CHECK(policy("strict-origin-when-cross-origin, No-Referrer") == own);
  for (const char* kept :
       {"origin", "no-referrer, same-origin", "no-referrer-when-downgrade", ""}) {
    CAPTURE(kept);
    CHECK(policy(kept) == answer_begin + "Referrer-Policy: " + kept + "\r\n\r\n");
  }
}

TEST_CASE("cookies become the listener's, and those of Access stay behind") {
  CHECK(local_cookie("a=b; Domain=app.example.com; Path=/x; Secure; HttpOnly") ==
        "a=b; Path=/x; HttpOnly");
  CHECK(local_cookie("a=b; SameSite=None; Secure; Partitioned") == "a=b");
  CHECK(local_cookie("a=b;samesite=LAX;DOMAIN=.example.com;Max-Age=5") ==
        "a=b;samesite=LAX;Max-Age=5");
  CHECK(local_cookie("__Host-a=b; Path=/; Secure") == "__Host-a=b; Path=/; Secure");
  CHECK(local_cookie("Secure=1; Secure") == "Secure=1");
  for (const char* name : {"CF_Authorization", "CF_AppSession", "CF_Binding"})
    CHECK_FALSE(local_cookie(std::string(name) + "=x; Path=/"));
  CHECK(received({{"Set-Cookie", "CF_Authorization=jwt; Secure"}, {"Set-Cookie", "a=b; Secure"}}) ==
        answer_begin + "Set-Cookie: a=b\r\n\r\n");
}

TEST_CASE("an answer without a body may say how long it would be") {
  ResponseChanges changes;
  changes.then = ResponseChanges::Then::close;
  CHECK(received({{"Content-Length", "7"}}, changes) ==
        answer_begin + "Content-Length: 7\r\nConnection: close\r\n\r\n");
  changes.then = ResponseChanges::Then::keep_alive;
  changes.body = {BodyFraming::Kind::chunked, 0};
  CHECK(received({{"Transfer-Encoding", "chunked"}}, changes) ==
        answer_begin + "Transfer-Encoding: chunked\r\n\r\n");
}

TEST_CASE("headers that programs follow lead to the listener, unless they are to stay") {
  const Headers headers = {{"Link", "<https://app.example.com/?page=2>; rel=next"},
                           {"Refresh", "5; url=https://app.example.com/x"},
                           {"WWW-Authenticate", "Bearer realm=\"https://app.example.com/token\""},
                           {"Content-Location", "https://app.example.com/y"}};
  ResponseChanges changes;
  changes.urls = ChangedUrls::everywhere;
  CHECK(received(headers, changes) ==
        answer_begin +
            "Link: <http://127.0.0.1:8080/?page=2>; rel=next\r\n"
            "Refresh: 5; url=http://127.0.0.1:8080/x\r\n"
            "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:8080/token\"\r\n"
            "Content-Location: http://127.0.0.1:8080/y\r\n\r\n");
  CHECK(received(headers) ==
        answer_begin +
            "Link: <https://app.example.com/?page=2>; rel=next\r\n"
            "Refresh: 5; url=https://app.example.com/x\r\n"
            "WWW-Authenticate: Bearer realm=\"https://app.example.com/token\"\r\n"
            "Content-Location: http://127.0.0.1:8080/y\r\n\r\n");
}

TEST_CASE("an answer that changes says nothing about its length or its parts") {
  ResponseChanges changes;
  changes.content = ResponseChanges::Content::changed;
  const Headers headers = {{"Content-Length", "7"}, {"Accept-Ranges", "bytes"}, {"ETag", "\"x\""}};
  CHECK(received(headers, changes) == answer_begin + "ETag: \"x\"\r\n\r\n");
  CHECK(received(headers) == answer_begin +
                                 "Accept-Ranges: bytes\r\nETag: \"x\"\r\n"
                                 "Content-Length: 7\r\n\r\n");
}

TEST_CASE("an answer that may change is asked for uncompressed, and whole if need be") {
  const Headers headers = {
      {"Accept-Encoding", "gzip, br"}, {"Range", "bytes=5-"}, {"If-Range", "\"x\""}};
  RequestChanges changes;
  CHECK(sent(headers, changes) == request_begin +
                                      "Accept-Encoding: gzip, br\r\nRange: bytes=5-\r\n"
                                      "If-Range: \"x\"\r\n\r\n");
  changes.answer = RequestChanges::Answer::uncompressed;
  CHECK(sent(headers, changes) == request_begin +
                                      "Range: bytes=5-\r\nIf-Range: \"x\"\r\n"
                                      "Accept-Encoding: identity\r\n\r\n");
  changes.answer = RequestChanges::Answer::uncompressed_and_whole;
  CHECK(sent(headers, changes) == request_begin + "Accept-Encoding: identity\r\n\r\n");
  changes.added = {{"Accept-Encoding", "gzip"}};
  CHECK(sent(headers, changes) == request_begin + "Accept-Encoding: gzip\r\n\r\n");
  CHECK(may_ask_for_json(request({})));
  CHECK(may_ask_for_json(request({{"Sec-Fetch-Dest", "empty"}})));
  for (const char* kind : {"document", "script", "style", "image", "font", "video"})
    CHECK_FALSE(may_ask_for_json(request({{"Sec-Fetch-Dest", kind}})));
}

TEST_CASE("a page of our own is small text that nobody keeps") {
  const std::string page = page_text({.status = 502, .message = "no way", .hint = "try again"});
  CHECK(page.starts_with("HTTP/1.1 502 Bad Gateway\r\n"));
  for (const char* line :
       {"Content-Type: text/plain; charset=utf-8", "Cross-Origin-Opener-Policy: same-origin",
        "Cross-Origin-Resource-Policy: same-origin",
        "Content-Security-Policy: frame-ancestors 'self'"})
    CHECK(page.find(fmt::format("\r\n{}\r\n", line)) != std::string::npos);
  CHECK(page.find("\r\nCache-Control: no-store\r\n") != std::string::npos);
  CHECK(page.ends_with("\r\n\r\nmayfly: no way\nhint: try again\n"));
  CHECK(page.find("\r\nContent-Length: 31\r\n") != std::string::npos);
  CHECK(page_text({.status = 502, .message = "no way", .body = Page::Body::head_only})
            .ends_with("\r\n\r\n"));
}
