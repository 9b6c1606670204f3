#include "access/system/forked_child.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "access/system/framed_message.hpp"
#include "access/testing/forked_child.hpp"

using namespace mayfly;

TEST_SUITE("system/forked_child") {
  TEST_CASE("a detached process goes on when the process that forked it is killed") {
    SocketPair sockets = make_socket_pair("test");
    int inherited[2];
    REQUIRE(::pipe(inherited) == 0);  // as this program might have been started with
    const Descriptor reading(inherited[0]);
    Descriptor writing(inherited[1]);
    {
      testing::ForkedChild parent([&](const testing::Line& line) {
        const pid_t session = ::getsid(0);
        fork_detached([&] {
          const bool is_apart = ::getsid(0) != session && ::getppid() != ::getsid(0);
          send_message(sockets.theirs.get(), is_apart ? "apart" : "same session");
          const auto question = receive_message(sockets.theirs.get());
          return question && send_message(sockets.theirs.get(), "still here") ? 0 : 1;
        });
        line.tell('f');
        line.hear();
        return 0;
      });
      CHECK(parent.hear() == 'f');
      sockets.theirs = Descriptor();
      CHECK(receive_message(sockets.ours.get()) == "apart");
      ::kill(parent.pid(), SIGKILL);
    }
    // It holds nothing that this program was started with: the pipe has no writer left.
    writing = Descriptor();
    char byte = 0;
    CHECK(::read(reading.get(), &byte, 1) == 0);
    REQUIRE(send_message(sockets.ours.get(), "are you there?"));
    CHECK(receive_message(sockets.ours.get()) == "still here");
    CHECK(receive_message(sockets.ours.get()) == std::nullopt);
  }

  TEST_CASE("an error is the same after its way through a message") {
    const Error told(ErrorKind::network, "no answer", "try again");
    const std::string text = encode_error(told);
    const auto back = decode_error(text);
    REQUIRE(back);
    CHECK(back->kind() == told.kind());
    CHECK(back->message() == told.message());
    CHECK(back->hint() == told.hint());
    for (std::size_t size = 0; size < text.size(); ++size)
      CHECK_FALSE(decode_error(text.substr(0, size)));
    CHECK_FALSE(decode_error(text + "x"));
  }
}
