// Listening sockets: ports, modes, stale files.
#include "access/listen/listening_socket.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "access/core/error.hpp"
#include "access/testing/scratch_directory.hpp"

using namespace mayfly;

namespace {

struct Directory {
  testing::ScratchDirectory scratch;
  std::string socket() const { return scratch / "s"; }
  ListenAddress address() const { return ListenAddress::parse("unix:" + socket()); }
};

}  // namespace

TEST_CASE("port 0 becomes a free port, and a taken port is refused") {
  const auto first = ListeningSocket::open(ListenAddress::parse("127.0.0.1:0"));
  REQUIRE(first.size() == 1);
  CHECK(first[0].address().port != 0);
  CHECK(first[0].address().host == "127.0.0.1");
  try {
    ListeningSocket::open(first[0].address());
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.message().ends_with("it is in use"));
    CHECK_FALSE(error.hint().empty());
  }
}

TEST_CASE("all families of a name share one port") {
  const auto sockets = ListeningSocket::open(ListenAddress::parse("localhost:0"));
  REQUIRE_FALSE(sockets.empty());
  for (const auto& socket : sockets) CHECK(socket.address().port == sockets[0].address().port);
}

TEST_CASE("the error for a foreign address has a hint") {
  CHECK_THROWS_AS(ListeningSocket::open(ListenAddress::parse("192.0.2.1:0")), Error);
}

TEST_CASE("a Unix socket is open to its owner only, whatever the umask, and removed at the end") {
  const Directory directory;
  const mode_t before = umask(0);
  {
    const auto sockets = ListeningSocket::open(directory.address());
    CHECK(umask(before) == 0);
    struct stat status {};
    REQUIRE(lstat(directory.socket().c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
    CHECK(S_ISSOCK(status.st_mode));

    // A socket file is not replaced while a process listens on it.
    CHECK_THROWS_AS(ListeningSocket::open(directory.address()), Error);
    CHECK(testing::is_there(directory.socket()));
  }
  CHECK_FALSE(testing::is_there(directory.socket()));
}

TEST_CASE("a stale socket file is replaced, and another file is not") {
  const Directory directory;
  {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strcpy(name.sun_path, directory.socket().c_str());
    const Descriptor dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(bind(dead.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
  }
  REQUIRE(testing::is_there(directory.socket()));
  CHECK(ListeningSocket::open(directory.address()).size() == 1);

  std::ofstream(directory.socket()) << "precious";
  CHECK_THROWS_AS(ListeningSocket::open(directory.address()), Error);
  CHECK(testing::is_there(directory.socket()));
}

TEST_CASE("a socket file that another process has replaced is not removed") {
  const Directory directory;
  {
    const auto sockets = ListeningSocket::open(directory.address());
    unlink(directory.socket().c_str());
    std::ofstream(directory.socket()) << "somebody else's";
  }
  CHECK(testing::is_there(directory.socket()));
}

TEST_CASE("a path that is too long for a socket is refused") {
  CHECK_THROWS_AS(ListeningSocket::open(ListenAddress::parse("unix:/tmp/" + std::string(200, 'x'))),
                  Error);
}
