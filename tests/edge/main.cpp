// mayfly-edge: a Cloudflare Access edge for tests.
#include <sodium.h>
#include <sys/resource.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "control.hpp"
#include "crypto.hpp"
#include "session.hpp"

namespace edge {
namespace {

using nlohmann::json;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

struct Options {
  std::string directory;
  std::string config;
  std::string listen = "127.0.0.1";
  std::uint16_t port = 0;
  std::uint16_t control = 0;
  bool until_stdin_closes = false;
};

Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--until-stdin-closes") {
      options.until_stdin_closes = true;
      continue;
    }
    if (i + 1 == argc) throw std::runtime_error("option without value or unknown: " + name);
    const std::string value = argv[++i];
    if (name == "--directory") {
      options.directory = value;
    } else if (name == "--config") {
      options.config = value;
    } else if (name == "--listen") {
      options.listen = value;
    } else if (name == "--port") {
      options.port = static_cast<std::uint16_t>(std::stoul(value));
    } else if (name == "--control") {
      options.control = static_cast<std::uint16_t>(std::stoul(value));
    } else {
      throw std::runtime_error("unknown option: " + name);
    }
  }
  if (options.directory.empty()) throw std::runtime_error("--directory is missing");
  return options;
}

Acceptor listen(asio::io_context& context, const std::string& address, std::uint16_t port) {
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address), port);
  Acceptor acceptor(context.get_executor());
  acceptor.open(endpoint.protocol());
  acceptor.set_option(Acceptor::reuse_address(true));
  acceptor.bind(endpoint);
  acceptor.listen(4096);
  return acceptor;
}

// Starts what `start` gives for every connection.
template <typename Start>
asio::awaitable<void> accept_all(Acceptor acceptor, Start start) {
  for (;;) {
    Socket socket(acceptor.get_executor());
    error_code error;
    co_await acceptor.async_accept(socket, into(error));
    if (error == asio::error::no_descriptors) co_await sleep(acceptor.get_executor(), 0.05);
    if (error) continue;
    asio::co_spawn(acceptor.get_executor(), start(std::move(socket)), asio::detached);
  }
}

// Calls `stop` when standard input ends.
asio::awaitable<void> watch_stdin(asio::io_context& context, std::function<void()> stop) {
  asio::posix::basic_stream_descriptor<Executor> input(context.get_executor(), 0);
  char dropped[256];
  error_code error;
  while (!error) co_await input.async_read_some(asio::buffer(dropped), into(error));
  stop();
}

// Thousands of tunnels need more descriptors than the usual soft limit.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void run(const Options& options) {
  Edge edge(options.directory);
  if (!options.config.empty()) edge.configure(json::parse(read_file(options.config)));
  TlsServer tls(edge);
  asio::io_context context(1);
  const std::function<void()> stop = [&context] { context.stop(); };
  asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([&](error_code, int) { stop(); });
  Acceptor edge_acceptor = listen(context, options.listen, options.port);
  Acceptor control_acceptor = listen(context, "127.0.0.1", options.control);
  const json ready = {{"port", edge_acceptor.local_endpoint().port()},
                      {"control", control_acceptor.local_endpoint().port()},
                      {"ca", edge.directory + "/ca.pem"},
                      {"ssh_ca_pub", edge.directory + "/ssh_ca.pub"},
                      {"directory", edge.directory},
                      {"pid", getpid()}};
  const auto start_session = [&](Socket socket) { return serve(edge, tls, std::move(socket)); };
  const auto start_control = [&](Socket socket) {
    return serve_control(edge, std::move(socket), stop);
  };
  asio::co_spawn(context, accept_all(std::move(edge_acceptor), start_session), asio::detached);
  asio::co_spawn(context, accept_all(std::move(control_acceptor), start_control), asio::detached);
  if (options.until_stdin_closes) {
    asio::co_spawn(context, watch_stdin(context, stop), asio::detached);
  }
  std::cout << ready.dump() << std::endl;
  context.run();
  std::_Exit(0);  // connections in flight own each other: nothing is gained by unwinding them
}

}  // namespace
}  // namespace edge

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    if (sodium_init() < 0) throw std::runtime_error("libsodium does not start");
    edge::raise_descriptor_limit();
    edge::run(edge::parse_options(argc, argv));
  } catch (const std::exception& error) {
    std::cerr << "mayfly-edge: " << error.what() << "\n";
    return 2;
  }
}
