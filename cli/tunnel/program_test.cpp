#include "cli/tunnel/program.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace mayfly;
using namespace mayfly::cli;
using Words = std::vector<std::string>;

TEST_CASE("a program's words with the address of its listener") {
  const ProgramAddress address{.host = "h", .port = "1", .address = "h:1", .url = "tcp://h:1"};
  CHECK(words_with({"psql", "{host}", "-p{port}", "{address}{address}", "{url}/x"}, address) ==
        Words{"psql", "h", "-p1", "h:1h:1", "tcp://h:1/x"});
  CHECK(words_with({"{", "{}", "{ host }", "{HOST}", "host"}, address) ==
        Words{"{", "{}", "{ host }", "{HOST}", "host"});
  // The path of a Unix socket may hold a name.
  CHECK(words_with({"{host}"}, {.host = "a{url}b", .port = {}, .address = {}, .url = "x"}) ==
        Words{"a{url}b"});
}

TEST_CASE("the address of a listener as its program sees it") {
  struct Case {
    const char *listen, *host, *port, *address, *url;
  };
  for (const Case& one :
       {Case{"127.0.0.1:80", "127.0.0.1", "80", "127.0.0.1:80", "http://127.0.0.1:80"},
        Case{"80", "127.0.0.1", "80", "127.0.0.1:80", "http://127.0.0.1:80"},
        Case{"localhost:80", "localhost", "80", "localhost:80", "http://localhost:80"},
        Case{"[::1]:80", "::1", "80", "[::1]:80", "http://[::1]:80"},
        Case{"0.0.0.0:80", "127.0.0.1", "80", "127.0.0.1:80", "http://127.0.0.1:80"},
        Case{"[::]:80", "::1", "80", "[::1]:80", "http://[::1]:80"},
        Case{"unix:/run/s", "/run/s", "", "unix:/run/s", "unix:/run/s"}}) {
    CAPTURE(one.listen);
    const ProgramAddress address = program_address(ListenAddress::parse(one.listen), "http");
    CHECK(address.host == one.host);
    CHECK(address.port == one.port);
    CHECK(address.address == one.address);
    CHECK(address.url == one.url);
  }
}
