#include "sshconfig/control_path.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "access/core/error.hpp"
#include "access/system/descriptor.hpp"
#include "access/testing/scratch_directory.hpp"

using namespace mayfly;
using namespace mayfly::sshconfig;

namespace {

std::string of_length(std::size_t size) {
  return "/" + std::string(size - 1, 'd');
}

Descriptor listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  Descriptor socket = open_socket({});
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(socket.get(), 1) == 0);
  return socket;
}

}  // namespace

// The kernel says how long a path may be: ssh binds the path, a dot and 16 letters (mux.c).
TEST_CASE("a control path leaves room for what ssh appends while it binds") {
  constexpr std::size_t while_bound = 1 + 40 + 1 + 16;  // "/", the hash, "." and 16 letters
  constexpr std::size_t most = sizeof(sockaddr_un::sun_path) - 1 - while_bound;
  CHECK(fits_socket(control_path_in(of_length(most))));
  CHECK_FALSE(fits_socket(control_path_in(of_length(most + 1))));
  CHECK(fits_socket("/tmp/master"));
}

TEST_CASE("the first directory that is short enough is taken") {
  CHECK(first_that_fits({"/a", "/b"}) == "/a");
  CHECK(first_that_fits({of_length(100), "", "/run/user/1000/mayfly"}) == "/run/user/1000/mayfly");
  CHECK_THROWS_AS(first_that_fits({of_length(100), ""}), Error);
}

TEST_CASE("a master is a listening socket of this user") {
  const testing::ScratchDirectory scratch;
  const std::string path = scratch / "master";
  CHECK_FALSE(has_master(path));
  {
    const Descriptor master = listen_at(path);
    CHECK(has_master(path));
  }
  CHECK_FALSE(has_master(path));  // the file is left of one that was killed
  CHECK_FALSE(has_master(""));
  CHECK_FALSE(has_master(of_length(200)));
}
