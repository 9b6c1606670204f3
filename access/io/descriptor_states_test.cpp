#include "access/io/descriptor_states.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

using namespace mayfly;

TEST_CASE("descriptors are watched as before once there are states for more") {
  asio::io_context loop;
  DescriptorStates states;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  asio::posix::stream_descriptor reading(loop, ends[0]), writing(loop, ends[1]);
  for (const std::size_t descriptors : {1, 1000, 10, 5000})
    states.reserve(loop.get_executor(), descriptors, 2);
  int readable = 0;
  reading.async_wait(asio::posix::stream_descriptor::wait_read,
                     [&](const asio::error_code& error) { readable += error ? 0 : 1; });
  loop.poll();
  CHECK(readable == 0);
  REQUIRE(::write(ends[1], "x", 1) == 1);
  loop.restart();
  loop.run_one();
  CHECK(readable == 1);
}
