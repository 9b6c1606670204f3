#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "access/system/descriptor.hpp"
#include "access/testing/scratch_directory.hpp"
#include "cli/tunnel/listening.hpp"

using namespace mayfly;

namespace {

struct Manager {
  Manager() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~Manager() { ::unsetenv("NOTIFY_SOCKET"); }
  testing::ScratchDirectory folder;
  std::string path = folder / "socket";
  Descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

}  // namespace

TEST_CASE("the service manager is told") {
  const Manager manager;
  cli::notify_service_manager("READY=1");
  std::array<char, 64> message{};
  const auto size = ::recv(manager.socket.get(), message.data(), message.size(), MSG_DONTWAIT);
  REQUIRE(size > 0);
  CHECK(std::string(message.data(), static_cast<std::size_t>(size)) == "READY=1");
}

TEST_CASE("without a service manager nothing happens") {
  ::unsetenv("NOTIFY_SOCKET");
  CHECK_NOTHROW(cli::notify_service_manager("READY=1"));
  ::setenv("NOTIFY_SOCKET", "/nowhere/socket", 1);
  CHECK_NOTHROW(cli::notify_service_manager("READY=1"));
  ::unsetenv("NOTIFY_SOCKET");
}
