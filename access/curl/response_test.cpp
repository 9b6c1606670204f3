#include <doctest/doctest.h>

#include "access/curl/http.hpp"

using namespace mayfly;
using std::chrono::seconds;
using std::chrono::sys_seconds;

namespace {

const sys_seconds now{seconds(1'700'000'000)};

const Url target{"vm.example.com", 443, "/a/b", ""};

Response with_cookies(std::vector<std::string> lines) {
  Response response;
  for (std::string& line : lines) response.headers.add("Set-Cookie", std::move(line));
  return response;
}

}  // namespace

TEST_CASE("a header is found in any case, the first one counts") {
  const Response response{.status = 200, .headers = {{"CF-Ray", "1"}, {"cf-ray", "2"}}, .body = ""};
  CHECK(response.headers.find("cf-RAY") == "1");
  CHECK(response.headers.find("Location").empty());
}

// The example of RFC 9110 section 5.6.7 in its three forms, and date -u -d @784111777.
TEST_CASE("a date is read in each of its forms") {
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994"}) {
    const Response response{.status = 200, .headers = {{"date", text}}, .body = ""};
    CHECK(response.date() == sys_seconds(seconds(784'111'777)));
  }
  CHECK_FALSE(Response{}.date());
  CHECK_FALSE(Response{.status = 200, .headers = {{"Date", "soon"}}, .body = ""}.date());
}

TEST_CASE("a cookie's value and name are taken as RFC 6265 section 5.2 says") {
  struct Case {
    std::string line;
    std::optional<std::string> value;
  };
  const Case cases[] = {
      {"CF_Authorization=abc.def.ghi; Path=/; Secure; HttpOnly", "abc.def.ghi"},
      {"  CF_Authorization = padded ;Secure", "padded"},
      {"CF_Authorization=a=b==", "a=b=="},
      {"CF_Authorization=", ""},
      {"CF_Authorization", std::nullopt},
      {"CF_AuthorizationX=1", std::nullopt},
      {"cf_authorization=1", std::nullopt},
      {"x=1; CF_Authorization=2", std::nullopt},
      {"", std::nullopt},
  };
  for (const Case& one : cases) {
    CAPTURE(one.line);
    const auto cookie = with_cookies({one.line}).cookie("CF_Authorization", target, now);
    CHECK(cookie.has_value() == one.value.has_value());
    if (cookie && one.value) CHECK(cookie->value == *one.value);
  }
}

TEST_CASE("the last cookie of a name wins") {
  const auto cookie = with_cookies({"a=1", "b=2", "a=3"}).cookie("a", target, now);
  REQUIRE(cookie);
  CHECK(cookie->value == "3");
}

TEST_CASE("a cookie's expiry comes from Max-Age, or else Expires") {
  struct Case {
    std::string attributes;
    std::optional<sys_seconds> expires;
  };
  const Case cases[] = {
      {"; Expires=Tue, 14 Nov 2023 22:13:21 GMT", now + seconds(1)},
      {"; EXPIRES=Tue, 14-Nov-2023 22:13:20 GMT", now},
      {"; Max-Age=60", now + seconds(60)},
      {"; Expires=Tue, 14 Nov 2023 22:13:21 GMT; max-age=5", now + seconds(5)},
      {"; Max-Age=0", sys_seconds{}},
      {"; Max-Age=-1", sys_seconds{}},
      {"; Max-Age=99999999999999999999999", now + std::chrono::hours(24 * 3650)},
      {"; Max-Age=9223372036854775807", now + std::chrono::hours(24 * 3650)},
      {"; Max-Age=5x", std::nullopt},
      {"; Max-Age=", std::nullopt},
      {"; Expires=never", std::nullopt},
      {"; Expires=Wed, 02 Jan 203030 00:00:00 GMT", std::nullopt},
      {"", std::nullopt},
  };
  for (const Case& one : cases) {
    CAPTURE(one.attributes);
    const auto cookie = with_cookies({"t=v" + one.attributes}).cookie("t", target, now);
    REQUIRE(cookie);
    CHECK(cookie->expires == one.expires);
  }
}

// RFC 6265 section 5.1.3, and sections 5.2.3 and 5.3 for the attribute.
TEST_CASE("a cookie counts when its Domain holds the host") {
  struct Case {
    std::string host, attributes;
    bool counts;
  };
  const Case cases[] = {
      {"vm.example.com", "", true},
      {"vm.example.com", "; Domain=vm.example.com", true},
      {"vm.example.com", "; domain=VM.Example.Com", true},
      {"vm.example.com", "; Domain=.vm.example.com", true},
      {"vm.example.com", "; Domain=example.com", true},
      {"vm.example.com", "; Domain=.example.com", true},
      {"vm.example.com", "; Domain=", true},
      {"vm.example.com", "; Domain", true},
      {"vm.example.com", "; Domain=evil.example", false},
      {"vm.example.com", "; Domain=m.example.com", false},
      {"vm.example.com", "; Domain=a.vm.example.com", false},
      {"vm.example.com", "; Domain=xample.com", false},
      {"vm.example.com", "; Domain=..example.com", false},
      {"vm.example.com", "; Domain=example.com.", false},
      {"vm.example.com", "; Domain=com", false},
      {"vm.example.com", "; Domain=.", false},
      {"vm.example.com", "; Domain=evil.example; Domain=example.com", true},
      {"vm.example.com", "; Domain=example.com; Domain=evil.example", false},
      {"vm.example.com", "; Domain=evil.example; Domain=", false},
      {"127.0.0.1", "; Domain=127.0.0.1", true},
      {"127.0.0.1", "; Domain=0.0.1", false},
      {"localhost", "; Domain=localhost", true},
  };
  for (const Case& one : cases) {
    CAPTURE(one.host + one.attributes);
    const Url url{one.host, 443, "/", ""};
    CHECK(with_cookies({"t=v" + one.attributes}).cookie("t", url, now).has_value() == one.counts);
  }
}

// RFC 6265 section 5.1.4, and section 5.2.4 for the attribute.
TEST_CASE("a cookie counts when its Path holds the path") {
  struct Case {
    std::string path, attributes;
    bool counts;
  };
  const Case cases[] = {
      {"/a/b", "", true},
      {"/a/b", "; Path=/", true},
      {"/a/b", "; path=/a", true},
      {"/a/b", "; Path=/a/", true},
      {"/a/b", "; Path=/a/b", true},
      {"/a/b", "; Path=", true},
      {"/a/b", "; Path=a", true},
      {"/a/b", "; Path=/a/b/", false},
      {"/a/b", "; Path=/a/b/c", false},
      {"/a/bc", "; Path=/a/b", false},
      {"/a/b", "; Path=/A", false},
      {"/a/b", "; Path=/cdn-cgi/access/", false},
      {"", "; Path=/", true},
      {"", "; Path=/a", false},
      {"/a/b", "; Path=/x; Path=/a", true},
      {"/a/b", "; Path=/a; Path=/x", false},
      {"/a/b", "; Path=/x; Path=", true},
  };
  for (const Case& one : cases) {
    CAPTURE(one.path + one.attributes);
    const Url url{"vm.example.com", 443, one.path, ""};
    CHECK(with_cookies({"t=v" + one.attributes}).cookie("t", url, now).has_value() == one.counts);
  }
}

TEST_CASE("a cookie for elsewhere hides none of the same name") {
  const auto cookie = with_cookies({"t=1; Path=/", "t=2; Path=/x", "t=3; Domain=evil.example"})
                          .cookie("t", target, now);
  REQUIRE(cookie);
  CHECK(cookie->value == "1");
  CHECK_FALSE(with_cookies({"t=2; Path=/x"}).cookie("t", target, now));
}

// The numbers are those of date(1): date -u -d '1994-11-06 08:49:37' +%s.
namespace {
std::optional<long long> seconds_of(std::string_view text) {
  const Response response{.status = 200, .headers = {{"Date", std::string(text)}}, .body = ""};
  const auto time = response.date();
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}
}  // namespace

TEST_CASE("HTTP date: the current form") {
  CHECK(seconds_of("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
  CHECK(seconds_of("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
  CHECK(seconds_of("Thu, 29 Feb 2024 23:59:59 GMT") == 1709251199);
  CHECK(seconds_of("Fri, 31 Dec 9999 23:59:59 GMT") == 253402300799);
}

TEST_CASE("HTTP date: the two obsolete forms") {
  CHECK(seconds_of("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
  CHECK(seconds_of("Sun Nov  6 08:49:37 1994") == 784111777);
  CHECK(seconds_of("Thu Feb 29 23:59:59 2024") == 1709251199);
  CHECK(seconds_of("Thursday, 29-Feb-24 23:59:59 GMT") == 1709251199);
}

TEST_CASE("HTTP date: other text is no date") {
  for (const char* text : {"", "now", "Sunday, 06-Nov-94 08:49:37",
                           "Sunday, 06-Nov-9x 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
                           "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 08:49:37 GMT ",
                           "Sun, 06 Nov 1994 08.49.37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
                           "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
                           "Sun, 31 Nov 1994 08:49:37 GMT", "Thu, 29 Feb 2023 00:00:00 GMT",
                           "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 19x4 08:49:37 GMT"}) {
    CAPTURE(text);
    CHECK_FALSE(seconds_of(text));
  }
}
