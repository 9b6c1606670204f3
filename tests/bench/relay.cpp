// A long line on one machine: relays TCP and holds every byte back for half a round trip, without
// making the line thinner. `relay LISTEN-ADDRESS PORT TO-ADDRESS PORT ROUND-TRIP-MS`, until stdin
// ends.
//
// The kernel accepts connections at once, while over a long line the handshake takes a round trip:
// so what a client sends in the first round trip is held as if it had been sent at its end.
#include <unistd.h>

#include <asio/buffer.hpp>
#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace {

using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

// What may be on its way at once: 640 MB/s at 100 ms, more than two processors encrypt.
constexpr std::size_t most_in_flight = 64 << 20;
constexpr std::size_t most_at_once = 256 << 10;

// One direction of one connection.
class Lane : public std::enable_shared_from_this<Lane> {
 public:
  Lane(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to, microseconds delay)
      : from_(std::move(from)), to_(std::move(to)), delay_(delay), timer_(from_->get_executor()) {}

  // open_at: when the line is there; nothing leaves before.
  void start(Clock::time_point open_at) {
    open_at_ = open_at;
    read();
  }

 private:
  struct Piece {
    Clock::time_point due;
    std::vector<char> bytes;  // none: the end of the stream
  };

  void read() {
    if (reading_ || ended_ || in_flight_ >= most_in_flight) return;
    reading_ = true;
    from_->async_wait(tcp::socket::wait_read, [self = shared_from_this()](const auto&) {
      self->reading_ = false;
      self->take();
    });
  }

  void take() {
    std::vector<char> bytes(most_at_once);
    asio::error_code error;
    bytes.resize(from_->read_some(asio::buffer(bytes), error));
    if (error == asio::error::would_block) return read();
    ended_ = bytes.empty();
    in_flight_ += bytes.size();
    pieces_.push_back({std::max(Clock::now(), open_at_) + delay_, std::move(bytes)});
    if (pieces_.size() == 1) wait();
    read();
  }

  void wait() {
    timer_.expires_at(pieces_.front().due);
    timer_.async_wait([self = shared_from_this()](const auto&) { self->deliver(); });
  }

  void deliver() {
    if (pieces_.front().bytes.empty()) {
      asio::error_code ignored;
      to_->shutdown(tcp::socket::shutdown_send, ignored);
      return;
    }
    asio::async_write(
        *to_, asio::buffer(pieces_.front().bytes),
        [self = shared_from_this()](const auto& error, std::size_t) { self->delivered(!error); });
  }

  void delivered(bool well) {
    in_flight_ -= pieces_.front().bytes.size();
    pieces_.pop_front();
    if (!well) {
      asio::error_code ignored;
      from_->close(ignored);
      return;
    }
    if (!pieces_.empty()) wait();
    read();
  }

  std::shared_ptr<tcp::socket> from_, to_;
  microseconds delay_;
  asio::steady_timer timer_;
  Clock::time_point open_at_;
  std::deque<Piece> pieces_;
  std::size_t in_flight_ = 0;
  bool reading_ = false, ended_ = false;
};

struct Relay {
  tcp::acceptor acceptor;
  tcp::endpoint to;
  microseconds round_trip;

  void accept() {
    acceptor.async_accept([this](const auto& error, tcp::socket socket) {
      if (!error) serve(std::make_shared<tcp::socket>(std::move(socket)));
      accept();
    });
  }

  void serve(const std::shared_ptr<tcp::socket>& client) {
    const auto accepted = Clock::now();
    const auto server = std::make_shared<tcp::socket>(acceptor.get_executor());
    server->async_connect(to, [=, this](const auto& error) {
      if (error) return;
      for (const auto& socket : {client, server}) {
        socket->set_option(tcp::no_delay(true));
        socket->non_blocking(true);
      }
      std::make_shared<Lane>(client, server, round_trip / 2)->start(accepted + round_trip);
      std::make_shared<Lane>(server, client, round_trip / 2)->start(accepted);
    });
  }
};

tcp::endpoint endpoint(const char* address, const char* port) {
  return {asio::ip::make_address(address), static_cast<std::uint16_t>(std::atoi(port))};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: relay ADDRESS PORT TO-ADDRESS PORT ROUND-TRIP-MS\n");
    return 2;
  }
  asio::io_context loop(1);
  Relay relay{tcp::acceptor(loop, endpoint(argv[1], argv[2])), endpoint(argv[3], argv[4]),
              std::chrono::milliseconds(std::atoi(argv[5]))};
  relay.accept();
  asio::posix::stream_descriptor input(loop, dup(STDIN_FILENO));
  input.async_wait(asio::posix::stream_descriptor::wait_read, [&](const auto&) { loop.stop(); });
  std::puts("ready");
  std::fflush(stdout);
  loop.run();
  return 0;
}
