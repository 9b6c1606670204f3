#include "access/identity/place.hpp"

#include <doctest/doctest.h>

using namespace mayfly;

namespace {

using Names = std::vector<std::string>;

Application defined(const std::string& hostname) {
  return {"team.cloudflareaccess.com", "audience", hostname};
}

std::string place(const std::string& hostname, const char* url) {
  return place_of(defined(hostname), parse_url(url));
}

}  // namespace

TEST_CASE("places of URLs") {
  CHECK(place_of(parse_url("https://vm.example.com/")) == "vm.example.com");
  CHECK(place_of(parse_url("vm.example.com/a/b")) == "vm.example.com-a-b");
  CHECK(place_of(parse_url("vm.example.com/a/b/?q=1")) == "vm.example.com-a-b");
  CHECK(places_above(parse_url("vm.example.com")) == Names{"vm.example.com"});
  CHECK(places_above(parse_url("vm.example.com/a//b/")) ==
        Names{"vm.example.com-a--b", "vm.example.com-a", "vm.example.com"});
  CHECK(places_above(parse_url("vm.example.com/" + std::string(200, 'x'))) ==
        Names{"vm.example.com"});
}

TEST_CASE("places of keys: a path keeps the slash at its end, which alone is none") {
  CHECK(key_place_of(parse_url("vm.example.com")) == "vm.example.com");
  CHECK(key_place_of(parse_url("https://vm.example.com/")) == "vm.example.com");
  CHECK(key_place_of(parse_url("vm.example.com/a/b")) == "vm.example.com-a-b");
  CHECK(key_place_of(parse_url("vm.example.com/a/")) == "vm.example.com-a-");
}

TEST_CASE("another port is another place, which no host and path at port 443 share") {
  CHECK(place_of(parse_url("https://vm.example.com:443/a")) == "vm.example.com-a");
  CHECK(place_of(parse_url("vm.example.com:8443")) == "vm.example.com:8443");
  CHECK(place_of(parse_url("vm.example.com:8443/a")) == "vm.example.com:8443-a");
  CHECK(place_of(parse_url("vm.example.com/:8443/a")) == "vm.example.com-:8443-a");
  CHECK(place_of(parse_url("[::1]")) == "::1");
  CHECK(place_of(parse_url("[::1]:8443")) == "[::1]:8443");
  CHECK(place_of(parse_url("[::1:8443]")) == "::1:8443");
  CHECK(places_above(parse_url("vm.example.com:8443/a")) ==
        Names{"vm.example.com:8443-a", "vm.example.com:8443"});
  CHECK(place("vm.example.com", "vm.example.com:8443/a") == "vm.example.com:8443");
  CHECK_FALSE(
      is_at(defined("vm.example.com/*"), "vm.example.com-a", parse_url("vm.example.com:8443/a")));
  // cloudflared leaves the port out of the names of keys.
  CHECK(key_place_of(parse_url("vm.example.com:8443/a")) == "vm.example.com-a");
}

TEST_CASE("places of applications are on the host that was asked, at their own path") {
  CHECK(place("vm.example.com", "vm.example.com/a/b") == "vm.example.com");
  CHECK(place("*.example.com", "vm.example.com/a/b") == "vm.example.com");
  CHECK(place("*.example.com/a/", "vm.example.com/a/b") == "vm.example.com-a");
  // What the metadata says of a path need not fit the URL, nor be a path that is fixed.
  CHECK(place("vm.example.com/ab", "vm.example.com/a") == "vm.example.com-a");
  CHECK(place("vm.example.com/a/*", "vm.example.com/a/b") == "vm.example.com-a-b");
}

TEST_CASE("a record serves the URLs of its application") {
  const auto holds = [](const std::string& hostname, const char* url) {
    return is_at(defined(hostname), place_of(defined(hostname), parse_url(url)), parse_url(url));
  };
  CHECK(holds("vm.example.com", "vm.example.com/a/b"));
  CHECK(holds("vm.example.com/a", "vm.example.com/a/b"));
  CHECK(holds("vm.example.com/a*", "vm.example.com/ab"));
  CHECK_FALSE(is_at(defined("vm.example.com/a"), "vm.example.com-a", parse_url("vm.example.com")));
  CHECK_FALSE(
      is_at(defined("vm.example.com/a"), "vm.example.com-a", parse_url("vm.example.com/ab")));
  CHECK_FALSE(
      is_at(defined("vm.example.com/a*"), "vm.example.com-a", parse_url("vm.example.com/ab")));
}
