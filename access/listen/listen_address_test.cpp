// The forms of a listen address.
#include "access/listen/listen_address.hpp"

#include <doctest/doctest.h>

#include "access/core/error.hpp"

using mayfly::Error;
using mayfly::ErrorKind;
using mayfly::ListenAddress;

TEST_CASE("listen addresses are read in each form") {
  struct Case {
    const char* text;
    const char* host;
    int port;
  };
  const Case cases[] = {
      {"localhost:2222", "localhost", 2222},
      {"127.0.0.1:0", "127.0.0.1", 0},
      {"[::1]:2222", "::1", 2222},
      {"0.0.0.0:65535", "0.0.0.0", 65535},
      {":2222", "", 2222},
      {"2222", "", 2222},
      {"ssh://localhost:2222", "localhost", 2222},
      {"tcp://127.0.0.1:2222/", "127.0.0.1", 2222},
      {"localhost:2222/", "localhost", 2222},
      {"rdp://[::1]:3389", "::1", 3389},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    const ListenAddress address = ListenAddress::parse(one.text);
    CHECK(address.family == ListenAddress::Family::tcp);
    CHECK(address.host == one.host);
    CHECK(address.port == one.port);
  }
  for (const char* text : {"unix:/run/x.sock", "unix:///run/x.sock"}) {
    const ListenAddress address = ListenAddress::parse(text);
    CHECK(address.family == ListenAddress::Family::unix_socket);
    CHECK(address.path == "/run/x.sock");
  }
  CHECK(ListenAddress::parse("unix:x.sock").path == "x.sock");
}

TEST_CASE("a wrong listen address is refused") {
  for (const char* text :
       {"", "localhost", "localhost:", "localhost:65536", "localhost:-1", "localhost:22x",
        "localhost: 22", "::1:22", "[localhost]:22", "[]:22", "a b:22", "ssh://localhost",
        "ssh://localhost:22/path", "unix:", "://localhost:22", "user@host:22", "\n:22"}) {
    CAPTURE(text);
    try {
      ListenAddress::parse(text);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      CHECK_FALSE(error.hint().empty());
    }
  }
}
