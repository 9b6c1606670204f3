#include "access/system/descriptor.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>

#include "access/system/platform.hpp"
#include "access/system/signal_pipe.hpp"
#include "access/testing/silent_port.hpp"

namespace mayfly {
namespace {

// Keeps this process from opening descriptors.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit none{0, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) != -1;
}

TEST_SUITE("core/descriptor") {
  TEST_CASE("closes what it owns, once") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    {
      Descriptor a(ends[0]);
      Descriptor b(std::move(a));
      CHECK_FALSE(a);  // NOLINT(bugprone-use-after-move)
      CHECK(b.get() == ends[0]);
      Descriptor c;
      c = std::move(b);
      CHECK(c);
      CHECK(is_open(ends[0]));
      Descriptor kept(ends[1]);
      CHECK(kept.release() == ends[1]);
    }
    CHECK_FALSE(is_open(ends[0]));
    CHECK(is_open(ends[1]));
    ::close(ends[1]);
  }

  TEST_CASE("no child inherits a pipe or a socket") {
    const Pipe pipe = make_pipe("x"), quick = make_pipe("x", Blocking::no);
    const SocketPair pair = make_socket_pair("x", Blocking::no);
    const Descriptor socket = open_socket({.family = AF_INET, .blocking = Blocking::no});
    for (const Descriptor* one : {&pipe.reading, &pipe.writing, &quick.reading, &quick.writing,
                                  &pair.ours, &pair.theirs, &socket})
      CHECK((::fcntl(one->get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(pipe.reading.get(), F_GETFL) & O_NONBLOCK) == 0);
    for (const Descriptor* one : {&quick.reading, &quick.writing, &pair.ours, &socket})
      CHECK((::fcntl(one->get(), F_GETFL) & O_NONBLOCK) != 0);
  }

  TEST_CASE("an accepted connection does not block, and no child inherits it") {
    const testing::SilentPort listening(1);
    const Descriptor client = open_socket({.family = AF_INET});
    REQUIRE(listening.connect(client) == 0);
    const Descriptor accepted = accept_connection(listening.socket.get());
    REQUIRE(accepted);
    CHECK((::fcntl(accepted.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(accepted.get(), F_GETFL) & O_NONBLOCK) != 0);
  }

  TEST_CASE("a pipe that cannot be made says for what it was wanted") {
    const NoMoreDescriptors limit;
    const std::string reason = std::string(": ") + std::strerror(EMFILE);
    CHECK_THROWS_WITH(make_pipe("cannot look up a name"),
                      ("cannot look up a name" + reason).c_str());
    CHECK_THROWS_WITH(make_socket_pair("cannot prepare for logins"),
                      ("cannot prepare for logins" + reason).c_str());
  }

  TEST_CASE("a peer that is gone raises no signal") {
    SocketPair pair = make_socket_pair("x");
    pair.theirs = Descriptor();
    CHECK_FALSE(send_all(pair.ours.get(), "lost"));  // SIGPIPE would end this test
    CHECK(errno == EPIPE);
  }

  TEST_CASE("all bytes are written, and read up to the end of the stream") {
    Pipe pipe = make_pipe("x");
    const std::string sent(300'000, 'x');  // more than a pipe holds
    std::thread writer([&] {
      CHECK(write_all(pipe.writing.get(), sent));
      pipe.writing = Descriptor();
    });
    std::string got(sent.size() + 1, '\0');
    const auto size = read_all(pipe.reading.get(), got);
    writer.join();
    REQUIRE(size == static_cast<std::ptrdiff_t>(sent.size()));
    CHECK(got.starts_with(sent));
  }

  TEST_CASE("reading or writing a bad descriptor fails with its errno") {
    char room[1];
    CHECK(read_all(-1, room) == -1);
    CHECK(errno == EBADF);
    CHECK_FALSE(write_all(-1, "x"));
    CHECK(errno == EBADF);
  }

  TEST_CASE("a signal pipe tells once, and no more") {
    SignalPipe pipe;
    CHECK(pipe.descriptor() == -1);
    CHECK_FALSE(pipe.take());
    pipe.open();
    pipe.notify();
    pipe.notify();
    CHECK(pipe.take());
    CHECK_FALSE(pipe.take());
    pipe.close();
    CHECK_FALSE(pipe.is_open());
  }

  TEST_CASE("a file without a name is read by its number") {
    const Descriptor file = anonymous_file("a secret");
    CHECK((::fcntl(file.get(), F_GETFD) & FD_CLOEXEC) != 0);
    const Descriptor again(::open(fmt::format("/dev/fd/{}", file.get()).c_str(), O_RDONLY));
    char room[100];
    REQUIRE(read_all(again.get(), room) == 8);
    CHECK(std::string_view(room, 8) == "a secret");
  }
}

}  // namespace
}  // namespace mayfly
