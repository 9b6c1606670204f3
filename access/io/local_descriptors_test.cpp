// Local descriptors: flags, ends, readers that go away.
#include "access/io/local_descriptors.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

#include "access/system/descriptor.hpp"
#include "access/system/ignored_signal.hpp"

using namespace mayfly;
using State = IoResult::State;

namespace {

IoResult write_text(LocalDescriptors& local, std::string text) {
  const iovec piece{text.data(), text.size()};
  return local.write({&piece, 1});
}

}  // namespace

TEST_CASE("descriptors are non-blocking for a while, and then as before") {
  const Pipe pipe = make_pipe("no pipe");
  {
    const NonBlocking guard(pipe.reading.get());
    CHECK((fcntl(pipe.reading.get(), F_GETFL) & O_NONBLOCK) != 0);
    { const NonBlocking again(pipe.reading.get()); }
    CHECK((fcntl(pipe.reading.get(), F_GETFL) & O_NONBLOCK) != 0);
  }
  CHECK((fcntl(pipe.reading.get(), F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("reading a pipe to its end") {
  Pipe pipe = make_pipe("no pipe");
  const NonBlocking guard(pipe.reading.get());
  LocalDescriptors local(pipe.reading.get(), -1);
  std::array<std::byte, 100> room;
  CHECK(local.read(room).state == State::wait_readable);
  REQUIRE(write(pipe.writing.get(), "abc", 3) == 3);
  CHECK(local.read(room).bytes == 3);
  CHECK(local.read(room).state == State::wait_readable);
  pipe.writing = Descriptor();
  CHECK(local.read(room).state == State::ended);
}

// A caller that is told of each change once would wait for ever for the next one.
TEST_CASE("after a change, nothing is kept back because of what an earlier call saw") {
  auto [ours, theirs] = make_socket_pair("cannot test", Blocking::no);
  LocalDescriptors local(ours.get(), ours.get());
  std::array<std::byte, 100> room;
  REQUIRE(write(theirs.get(), "abc", 3) == 3);
  CHECK(local.read(room).bytes == 3);
  REQUIRE(write(theirs.get(), "de", 2) == 2);
  local.has_changed();
  CHECK(local.read(room).bytes == 2);
  CHECK(write_text(local, std::string(8 << 20, 'x')).bytes < (8 << 20));
  std::string taken(8 << 20, '\0');
  while (::read(theirs.get(), taken.data(), taken.size()) > 0) {
  }
  local.has_changed();
  CHECK(write_text(local, "more").bytes == 4);
}

TEST_CASE("writing until it is full, and until the reader goes") {
  const IgnoredSignal no_sigpipe(SIGPIPE);
  Pipe pipe = make_pipe("no pipe");
  const NonBlocking guard(pipe.writing.get());
  LocalDescriptors local(-1, pipe.writing.get());
  CHECK(write_text(local, "abc").bytes == 3);
  CHECK_FALSE(reader_is_gone(pipe.writing.get()));
  const IoResult partial = write_text(local, std::string(1 << 20, 'x'));
  CHECK(partial.bytes > 0);
  CHECK(partial.bytes < (1 << 20));
  CHECK(write_text(local, "more").state == State::wait_writable);
  CHECK(write_text(local, "more").state == State::wait_writable);
  pipe.reading = Descriptor();
  CHECK(reader_is_gone(pipe.writing.get()));
  CHECK(write_text(local, "more").state == State::ended);
}

TEST_CASE("an error that is no lost reader is told") {
  const Descriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  REQUIRE(full);
  LocalDescriptors local(-1, full.get());
  const IoResult result = write_text(local, "x");
  CHECK(result.state == State::failed);
  CHECK(result.failure == "cannot write the local side: No space left on device");
}
