// The control port: tests look and steer here.
#pragma once

#include "asio.hpp"
#include "edge.hpp"

namespace edge {

// Answers every request that needs no waiting; `stop` ends the program.
Response control(Edge& edge, const Request& request, const std::function<void()>& stop);

// One connection to the control port.
asio::awaitable<void> serve_control(Edge& edge, Socket socket, std::function<void()> stop);

}  // namespace edge
