// The addresses that `mayfly http` gives by default.
#include "cli/session/http_address.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <string>

#include "access/core/error.hpp"
#include "access/testing/scratch_directory.hpp"

using namespace mayfly;
using namespace mayfly::cli;
using mayfly::testing::ScratchDirectory;

namespace {

std::string name_of(const char* host) {
  return browser_name(parse_url(host));
}

}  // namespace

TEST_CASE("each host has a name of one label for browsers") {
  CHECK(name_of("wiki.example.com") == "wiki-example-com.localhost");
  CHECK(name_of("wiki.example.com/admin") == "wiki-example-com.localhost");
  std::set<std::string> names;
  const auto hosts = {"a-b.c",
                      "a.b-c",
                      "a.b.c",
                      "a--b.c",
                      "xn--bcher-kva.example",
                      "a-very-long-name-of-a-host.with-many-labels.and-hyphens.example.com"};
  for (const char* host : hosts) {
    const std::string name = name_of(host);
    CAPTURE(name);
    CHECK(names.insert(name).second);
    CHECK(name.find('.') == name.size() - std::string(".localhost").size());
    CHECK(name.find('.') <= 63);
    CHECK(name.find('-') < name.find('.'));  // http_guard.hpp: LocalNames::without_hyphen
    CHECK_FALSE(name.starts_with("xn--"));   // RFC 5890 section 2.3.1: it would have to be an IDN
  }
}

TEST_CASE("an application keeps its port, and no other has it") {
  const ScratchDirectory scratch;
  const auto state = StateDirectory::open(scratch / "state");
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 300; ++i) {  // of 2000: some of them want the same
    const Url url = parse_url("h" + std::to_string(i) + ".example.com");
    const HttpPort port = http_port_of(state, url);
    CHECK(port.port >= first_http_port);
    CHECK(port.port <= last_http_port);
    CHECK(ports.insert(port.port).second);
    CHECK(http_port_of(state, url).port == port.port);
  }
  CHECK(remembered_http_ports(state).size() == 300);
  CHECK(mayfly::testing::mode_of(scratch / "state/http-ports") == 0600);
  CHECK(forget_http_ports(state));
  CHECK_FALSE(forget_http_ports(state));
  CHECK(remembered_http_ports(state).empty());
}

TEST_CASE("a path is an application of its own, a slash at its end is none") {
  const ScratchDirectory scratch;
  const auto state = StateDirectory::open(scratch / "state");
  const HttpPort whole = http_port_of(state, parse_url("wiki.example.com/"));
  const HttpPort part = http_port_of(state, parse_url("wiki.example.com/admin"));
  CHECK(whole.port != part.port);
  CHECK(http_port_of(state, parse_url("https://wiki.example.com")).port == whole.port);
  const std::string port = std::to_string(part.port);
  CHECK(part.address() == "http://127.0.0.1:" + port + "/admin");
  CHECK(part.browser_address() == "http://wiki-example-com.localhost:" + port + "/admin");
}

TEST_CASE("processes that choose at the same time choose different ports") {
  const ScratchDirectory scratch;
  const auto open = [&] { return StateDirectory::open(scratch / "state"); };
  open();
  std::set<pid_t> children;
  for (int i = 0; i < 16; ++i) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const auto url = parse_url("h" + std::to_string(i) + ".example.com");
      ::_exit(http_port_of(open(), url).port == 0);
    }
    children.insert(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(remembered_http_ports(open()).size() == 16);  // an overwritten one would be missing
}

TEST_CASE("a list of ports that mayfly did not write is named") {
  const ScratchDirectory scratch;
  const auto state = StateDirectory::open(scratch / "state");
  for (const char* content :
       {"x", "28000", "28000 ", "80 wiki.example.com\n", "99999 wiki.example.com\n",
        "28000 wiki.example.com/\n", "28000 a b\n", "28000 a.example\n28000 b.example\n",
        "28000 a.example\n28001 a.example\n"}) {
    CAPTURE(content);
    state.write("http-ports", content);
    CHECK_THROWS_AS(remembered_http_ports(state), Error);
    CHECK_THROWS_AS(http_port_of(state, parse_url("wiki.example.com")), Error);
  }
}

TEST_CASE("where nothing can be stored the port is the same at each start") {
  const auto none = StateDirectory::none(Error(ErrorKind::failed, "no"));
  const Url url = parse_url("wiki.example.com");
  CHECK(http_port_of(none, url).port == http_port_of(none, url).port);
}

TEST_CASE("a port is chosen while somebody holds a lock on the state directory") {
  const ScratchDirectory scratch;
  const auto state = StateDirectory::open(scratch / "state");
  const Descriptor other(::open((scratch / "state").c_str(), O_RDONLY | O_DIRECTORY));
  REQUIRE(::flock(other.get(), LOCK_EX) == 0);
  CHECK(http_port_of(state, parse_url("wiki.example.com")).port != 0);
  CHECK(mayfly::testing::mode_of(scratch / "state/.mayfly-lock") == 0600);
}
