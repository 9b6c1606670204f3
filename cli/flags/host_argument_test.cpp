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
