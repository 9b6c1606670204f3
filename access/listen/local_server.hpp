// Accepts local connections and serves them in one Asio loop until a signal comes.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "access/io/descriptor_states.hpp"
#include "access/io/event_loop.hpp"
#include "access/listen/admission.hpp"
#include "access/listen/listener.hpp"
#include "access/listen/listening_socket.hpp"
#include "access/system/descriptor.hpp"
#include "access/tunnel/open_connection.hpp"

namespace mayfly {

class LocalServer {
 public:
  // Serves one connection, given its non-blocking socket and its guest, which it keeps as long as
  // the connection lives. Exceptions are reported to options.failed.
  using Guest = std::shared_ptr<Admission::Guest>;
  using Serve = std::function<asio::awaitable<void>(Descriptor socket, Guest guest)>;

  // Begins to listen. `loop` and `options` must outlive the server. too_many: the answer to a
  // connection above the limit; "" closes it without an answer. Throws Error if it cannot listen on
  // an address.
  LocalServer(asio::io_context& loop, const ListenOptions& options, std::string too_many = {});
  ~LocalServer() { admission_->on_crowd_left({}); }
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  // Serves until SIGTERM, SIGINT or SIGHUP, and then interrupts the open connections. events: runs
  // the loop, if connections use it.
  void run(const Serve& serve, EventLoop* events = nullptr);

  // Between the two calls the server keeps a connection alive, and interrupts it at a signal.
  void opened(std::shared_ptr<OpenConnection> connection) { open_.insert(std::move(connection)); }
  void closed(const std::shared_ptr<OpenConnection>& connection);
  std::vector<std::shared_ptr<OpenConnection>> open() const { return {open_.begin(), open_.end()}; }
  asio::io_context::executor_type executor() const { return loop_.get_executor(); }
  // Whether the signal has come. Connections that open after it are not interrupted by the server.
  bool ending() const noexcept { return ending_; }

 private:
  asio::awaitable<void> accept_from(int listening, const Serve& serve);
  asio::awaitable<void> serve_one(Descriptor socket, Guest guest, const Serve& serve);
  asio::awaitable<void> turn_away(Descriptor socket);
  void tell_rarely(const Error& error);
  void tell_addresses();
  void report(const std::exception_ptr& thrown);
  void release_memory_soon();
  asio::awaitable<void> obey_supervisor();
  asio::awaitable<void> end_with_parent();
  asio::awaitable<void> drain();
  std::uint64_t moved_bytes() const;
  void shut_down();

  asio::io_context& loop_;
  const ListenOptions& options_;
  std::vector<ListeningSocket> sockets_;
  std::string too_many_;
  std::shared_ptr<Admission> admission_;
  DescriptorStates states_;
  int being_turned_away_ = 0;
  std::chrono::steady_clock::time_point silent_until_;  // for tell_rarely()
  asio::steady_timer memory_timer_, shut_down_timer_;
  std::unordered_set<std::shared_ptr<OpenConnection>> open_;
  bool ending_ = false, draining_ = false;
};

}  // namespace mayfly
