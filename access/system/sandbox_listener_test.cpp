// The sandbox of a listener.
#include <doctest/doctest.h>
#include <netdb.h>
#include <netinet/in.h>

#include <filesystem>
#include <string>
#include <thread>

#include "access/system/sandbox.hpp"
#include "access/testing/forked_child.hpp"
#include "access/testing/sandbox_attempts.hpp"
#include "access/testing/scratch_directory.hpp"

namespace mayfly {
namespace {

using testing::Attempt, testing::attempts, testing::outcome;
using testing::ForkedChild;
using testing::it_worked, testing::refused, testing::failed_otherwise, testing::not_confined;
using testing::Line;
using testing::ScratchDirectory;

// A listener's sandbox, with one directory to read and one to write.
int connecting(const ScratchDirectory& scratch, const std::function<int()>& attempt) {
  return ForkedChild([&](const Line&) {
           const PermittedFiles files{.read = {"/etc", "/usr", "/lib", "/lib64", scratch / "read"},
                                      .open = {scratch / "open"},
                                      .write = {scratch / "write"},
                                      .remove = {scratch / "remove"},
                                      .network = PermittedFiles::Network::outgoing};
           return confine_to_connecting(files).is_whole() ? attempt() : not_confined;
         })
      .exit_code();
}

int connect_to_itself() {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(9);  // closed as a rule; it counts that the connection was tried
  const long connected =
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return outcome(connected) == refused ? refused : it_worked;
}

// Returns the EAI_... of a name that a bare computer may lack, too: the answer has to be the same
// inside the sandbox and outside.
int look_up_failure() {
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  const int failure = ::getaddrinfo("localhost", "9", &hints, &found);
  if (failure == 0) ::freeaddrinfo(found);
  return failure;
}

int bind_to_any(int family, int type) {
  const Descriptor socket(::socket(family, type | SOCK_CLOEXEC, 0));
  sockaddr_storage address{};
  address.ss_family = static_cast<sa_family_t>(family);
  const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  return outcome(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size));
}

TEST_SUITE("core/sandbox_listener" * doctest::skip(!testing::sandbox_is_possible())) {
  TEST_CASE("a listener starts, traces and signals nothing, and opens no other address") {
    const ScratchDirectory scratch;
    for (const Attempt& attempt : attempts) {
      const std::string what = attempt.what;
      for (const auto name :
           {"exec", "fork", "ptrace", "another's memory", "kill", "code", "io_uring", "memfd",
            "socket pair", "Unix socket", "terminal input", "new privileges"}) {
        if (what != name) continue;
        CAPTURE(what);
        CHECK(connecting(scratch, [&] { return outcome(attempt.call()); }) == refused);
      }
    }
    CHECK(connecting(scratch, [] {
            const Descriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
            return outcome(::listen(socket.get(), 1));
          }) == refused);
    for (const int type : {SOCK_STREAM, SOCK_DGRAM})
      for (const int family : {AF_INET, AF_INET6}) {
        CAPTURE(type);
        CAPTURE(family);
        CHECK(connecting(scratch, [=] { return bind_to_any(family, type); }) == refused);
      }
  }

  TEST_CASE("a listener looks names up, connects, and has threads") {
    const ScratchDirectory scratch;
    CHECK(connecting(scratch, connect_to_itself) == it_worked);
    const int outside = look_up_failure();
    CHECK(connecting(scratch, [outside] {
            return look_up_failure() == outside ? it_worked : failed_otherwise;
          }) == it_worked);
    CHECK(connecting(scratch, [] {
            int result = failed_otherwise;
            std::thread([&] { result = connect_to_itself(); }).join();
            return result;
          }) == it_worked);
  }

  TEST_CASE("a listener opens the files that were named, and no others") {
    const ScratchDirectory scratch;
    for (const auto name : {"read", "open", "write", "remove", "other"}) {
      std::filesystem::create_directory(scratch / name);
      testing::put(scratch / (std::string(name) + "/file"), "x");
    }
    const auto opened = [&](const char* name, int flags) {
      return connecting(scratch, [&, path = scratch / name] {
        return outcome(::open(path.c_str(), flags | O_CLOEXEC, 0600));
      });
    };
    CHECK(opened("read/file", O_RDONLY) == it_worked);
    CHECK(opened("read/file", O_WRONLY) == refused);
    CHECK(opened("open/file", O_RDONLY) == it_worked);
    CHECK(opened("open", O_RDONLY | O_DIRECTORY) == refused);
    CHECK(opened("remove/file", O_RDONLY) == refused);
    CHECK(opened("remove/new", O_WRONLY | O_CREAT) == refused);
    CHECK(opened("read/new", O_WRONLY | O_CREAT) == refused);
    CHECK(opened("write/file", O_RDWR | O_TRUNC) == it_worked);
    CHECK(opened("write/new", O_WRONLY | O_CREAT) == it_worked);
    CHECK(opened("other/file", O_RDONLY) == refused);
    CHECK(opened("other", O_RDONLY | O_DIRECTORY) == refused);
    const auto removed = [&](const char* name) {
      return connecting(scratch,
                        [path = scratch / name] { return outcome(::unlink(path.c_str())); });
    };
    CHECK(removed("open/file") == refused);
    CHECK(removed("remove/file") == it_worked);
    const std::string file = scratch / "write/file", renamed = scratch / "write/renamed";
    CHECK(connecting(scratch, [&] {
            if (::rename(file.c_str(), renamed.c_str()) != 0) return failed_otherwise;
            return outcome(::unlink(renamed.c_str()));
          }) == it_worked);
  }
}

}  // namespace
}  // namespace mayfly
