#include "cli/flags/host_argument.hpp"

#include <doctest/doctest.h>

#include "access/core/error.hpp"

using namespace mayfly;
using namespace mayfly::cli;

namespace {

using Words = std::vector<std::string>;

struct Taken {
  std::string hostname;
  Words listeners;
  bool operator==(const Taken&) const = default;
};

Taken taken(std::string hostname, const Words& arguments) {
  Words listeners;
  take_host_and_listeners(hostname, arguments, listeners);
  return {hostname, listeners};
}

}  // namespace

TEST_CASE("host argument: the host may stand alone, beside addresses of listeners") {
  CHECK(taken("", {"vm.example.com"}) == Taken{"vm.example.com", {}});
  CHECK(taken("", {"https://vm.example.com/path"}) == Taken{"https://vm.example.com/path", {}});
  CHECK(taken("", {"vm.example.com:8443"}) == Taken{"vm.example.com:8443", {}});
  for (const char* address :
       {"localhost:5432", "wiki.localhost:80", "127.0.0.1:0", "[::1]:22", "192.0.2.1:80", "5432",
        ":5432", "unix:/run/s", "tcp://localhost:1"}) {
    CAPTURE(address);
    CHECK(taken("", {"db.example.com", address}) == Taken{"db.example.com", {address}});
    CHECK(taken("", {address, "db.example.com"}) == Taken{"db.example.com", {address}});
    CHECK(taken("db.example.com", {address}) == Taken{"db.example.com", {address}});
    CHECK(taken("", {address}) == Taken{"", {address}});
  }
  CHECK(taken("db.example.com", {"here.example.com:22"}) ==
        Taken{"db.example.com", {"here.example.com:22"}});
}

TEST_CASE("host argument: two hosts are a usage error") {
  for (const Taken& one :
       {Taken{"a.example.com", {"b.example.com"}}, Taken{"", {"a.example.com", "b.example.com"}}}) {
    try {
      taken(one.hostname, one.listeners);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      CHECK(error.message() == "there are two hosts: \"a.example.com\" and \"b.example.com\"");
    }
  }
  std::string hostname = "a.example.com";
  take_host(hostname, "");
  CHECK(hostname == "a.example.com");
  CHECK_THROWS_AS(take_host(hostname, "b.example.com"), Error);
}

TEST_CASE("a host that the wildcard of the block does not match is refused") {
  CHECK(application_url("evil.example.net", "").host == "evil.example.net");
  for (const char* host : {"a.example.com", "A.b.Example.com", "https://a.example.com/"}) {
    CAPTURE(host);
    CHECK_NOTHROW(application_url(host, "*.example.com"));
  }
  CHECK_NOTHROW(application_url("dev-1.example.com/git", "dev-*.example.com/git"));
  // ssh_config(5) compares each of these as it was typed, and the pattern matches its end.
  for (const char* text :
       {"evil.example.net/x.example.com", "evil.example.net#.example.com",
        "evil.example.net?.example.com", "https://evil.example.net/.example.com",
        "evil.example.net:443/.example.com", "evil.example.net\\.example.com",
        "u@evil.example.net/.example.com", "a.example.com/b.example.com",
        "a.example.com:8443/.example.com", "a.example.com?.example.com", "[::1]/.example.com"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(application_url(text, "*.example.com"), Error);
  }
  CHECK_THROWS_AS(application_url("a.example.com", "*.example.com/git"), Error);
  CHECK_THROWS_AS(application_url("evil.example.net/x.example.com/git", "*.example.com/git"),
                  Error);
}
