// Boost.Asio as the edge uses it: one thread, one io_context, concrete executor types.
#pragma once

// clang-format off
#include <utility>  // Boost 1.74's awaitable.hpp uses std::exchange without including it
// clang-format on

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace edge {

namespace asio = boost::asio;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

inline std::chrono::steady_clock::duration duration(double seconds) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(seconds));
}

// A rule for all coroutines here: aggregates, lambdas with captures and the results of ?: get names
// before the co_await expression that uses them (HACKING.md says why).

// Completion token: resume the coroutine, with the error in `error` and no exception.
inline auto into(error_code& error) {
  return asio::redirect_error(asio::use_awaitable, error);
}

inline asio::awaitable<void> sleep(Executor executor, double seconds) {
  Timer timer(executor);
  timer.expires_after(duration(seconds));
  error_code ignored;
  co_await timer.async_wait(into(ignored));
}

}  // namespace edge
