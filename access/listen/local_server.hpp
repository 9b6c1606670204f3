// Local connections, accepted and served in one loop until a signal.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "access/io/descriptor_states.hpp"
#include "access/listen/admission.hpp"
#include "access/listen/listener.hpp"
#include "access/listen/listening_socket.hpp"
#include "access/system/descriptor.hpp"
#include "access/tunnel/open_connection.hpp"

namespace mayfly {

class LocalServer {
 public:
  // Given a non-blocking socket, and the connection's place, which is to be kept until its end.
  // What it throws is reported to options.failed.
  using Guest = std::shared_ptr<Admission::Guest>;
  using Serve = std::function<asio::awaitable<void>(Descriptor socket, Guest guest)>;

  // Listens at once. Both outlive it. too_many: what a connection is told for which there is no
  // place; "" closes it without a word. Throws Error when an address cannot be listened on.
  LocalServer(asio::io_context& loop, const ListenOptions& options, std::string too_many = {});

  // Until SIGTERM, SIGINT or SIGHUP; what is open then gets a moment for its end.
  void run(const Serve& serve);

  // The server keeps a connection alive, and ends it at a signal, until it is closed.
  void opened(std::shared_ptr<OpenConnection> connection) { open_.insert(std::move(connection)); }
  void closed(const std::shared_ptr<OpenConnection>& connection);
  std::vector<std::shared_ptr<OpenConnection>> open() const { return {open_.begin(), open_.end()}; }
  asio::io_context::executor_type executor() const { return loop_.get_executor(); }
  // Whether the signal came already, and nobody will interrupt what is opened now.
  bool ending() const noexcept { return ending_; }

 private:
  asio::awaitable<void> accept_from(int listening, const Serve& serve);
  asio::awaitable<void> serve_one(Descriptor socket, Guest guest, const Serve& serve);
  asio::awaitable<void> turn_away(Descriptor socket);
  void tell(Error error);
  void tell_addresses();
  void report(const std::exception_ptr& thrown);
  void shut_down();

  asio::io_context& loop_;
  const ListenOptions& options_;
  std::vector<ListeningSocket> sockets_;
  std::string too_many_;
  std::shared_ptr<Admission> admission_;
  DescriptorStates states_;
  int turned_away_ = 0;  // that are being told
  std::chrono::steady_clock::time_point told_until_;
  asio::steady_timer last_moment_;  // when it is over, whatever is still open
  std::unordered_set<std::shared_ptr<OpenConnection>> open_;
  bool ending_ = false;
};

}  // namespace mayfly
