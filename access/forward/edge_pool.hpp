// Connections to the edge, kept open between requests.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "access/dial/dial.hpp"
#include "access/io/watched_descriptor.hpp"
#include "access/tls/tls.hpp"

namespace mayfly {

struct EdgeConnection {
  EdgeConnection(const asio::any_io_executor& executor, std::unique_ptr<TlsStream> made)
      : stream(std::move(made)), watched(executor, stream->descriptor()) {}

  std::unique_ptr<TlsStream> stream;
  WatchedDescriptor watched;  // gone before the stream closes what it watches
  enum class Age { fresh, used } age = Age::fresh;
  std::chrono::steady_clock::time_point idle_since;
};

class EdgePool {
 public:
  explicit EdgePool(Dialer& dialer) : dialer_(dialer) {}

  enum class Which { any, fresh };
  // Throws like Dialer::dial().
  asio::awaitable<std::unique_ptr<EdgeConnection>> take(Which which);
  // One that is between two requests.
  void give_back(std::unique_ptr<EdgeConnection> connection);

 private:
  Dialer& dialer_;
  std::vector<std::unique_ptr<EdgeConnection>> idle_;  // the one used last is at the end
};

}  // namespace mayfly
