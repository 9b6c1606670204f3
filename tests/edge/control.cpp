// The control port: tests look and steer here.
#include "control.hpp"

#include "http_io.hpp"

namespace edge {

asio::awaitable<void> serve_control(Edge& edge, Socket socket, std::function<void()> stop) {
  std::string buffer;
  Request request;
  while (co_await read_request(socket, buffer, request)) {
    if (request.path == "/sign-in" && request.parameter("token").empty() && request.body.empty()) {
      // Whoever starts to poll within this time is meant.
      const std::string wait = request.parameter("wait");
      const double until = wall_time() + (wait.empty() ? 10 : std::atof(wait.c_str()));
      while (edge.transfer.pending().empty() && wall_time() < until) {
        co_await sleep(socket.get_executor(), 0.02);
      }
    }
    const Response response = control(edge, request, stop);
    const After after = request.keep_alive ? After::keep_alive : After::close;
    const std::string text = serialize(response, Body::sent, after);
    if (!co_await write_all(socket, text) || !request.keep_alive) break;
  }
}

}  // namespace edge
