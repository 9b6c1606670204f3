// Runs a coroutine to its end while the caller waits.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "access/core/error.hpp"
#include "access/io/interrupt_watch.hpp"

namespace mayfly {

// Throws the exception of the task, and Error(failed) at a signal. The task then stays in the loop,
// and must not refer to objects that end before the loop.
template <typename Value>
Value run_to_end(asio::io_context& loop, asio::awaitable<Value> task) {
  std::optional<Value> result;
  std::exception_ptr thrown;
  const InterruptWatch interrupts(loop.get_executor(), [&] {
    thrown = std::make_exception_ptr(Error(ErrorKind::failed, "interrupted"));
    loop.stop();
  });
  asio::co_spawn(loop, std::move(task), [&](const std::exception_ptr& error, Value value) {
    thrown = error;
    if (!error) result = std::move(value);
    loop.stop();
  });
  loop.restart();
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
  return std::move(result.value());
}

}  // namespace mayfly
