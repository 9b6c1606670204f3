#include "access/testing/proxy.hpp"

#include <array>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/dispatch.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/read_until.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <future>
#include <thread>

namespace mayfly::testing {

using asio::ip::tcp;
using Socket = std::shared_ptr<tcp::socket>;

namespace {

tcp::endpoint loopback(int port) {
  return {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)};
}

asio::awaitable<void> copy(Socket from, Socket to) {
  std::array<char, 16384> room;
  try {
    for (;;) {
      const std::size_t size =
          co_await from->async_read_some(asio::buffer(room), asio::use_awaitable);
      co_await asio::async_write(*to, asio::buffer(room, size), asio::use_awaitable);
    }
  } catch (const std::exception&) {
    asio::error_code ignored;
    to->shutdown(tcp::socket::shutdown_send, ignored);
  }
}

}  // namespace

struct TestProxy::Impl {
  explicit Impl(int to) : target(to), acceptor(loop, loopback(0)) {}

  asio::awaitable<void> serve(Socket client);
  asio::awaitable<void> accept();

  int target;
  asio::io_context loop;
  tcp::acceptor acceptor;
  std::string refusal, request;  // touched in the loop only
  bool asks_for_login = false;
  std::thread thread;
};

asio::awaitable<void> TestProxy::Impl::serve(Socket client) {
  try {
    std::string head;
    co_await asio::async_read_until(*client, asio::dynamic_buffer(head), "\r\n\r\n",
                                    asio::use_awaitable);
    request = head;
    if (asks_for_login && head.find("\r\nProxy-Authorization: ") == std::string::npos) {
      const std::string challenge =
          "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
          "Content-Length: 0\r\n\r\n";
      co_await asio::async_write(*client, asio::buffer(challenge), asio::use_awaitable);
      head.clear();
      co_await asio::async_read_until(*client, asio::dynamic_buffer(head), "\r\n\r\n",
                                      asio::use_awaitable);
      request = head;
    }
    const std::string answer =
        refusal.empty() ? "HTTP/1.1 200 Connection established\r\n\r\n" : refusal;
    const auto server = std::make_shared<tcp::socket>(loop);
    co_await server->async_connect(loopback(target), asio::use_awaitable);
    co_await asio::async_write(*client, asio::buffer(answer), asio::use_awaitable);
    if (!refusal.empty()) co_return;
    asio::co_spawn(loop, copy(server, client), asio::detached);
    co_await copy(client, server);
  } catch (const std::exception&) {
  }
}

asio::awaitable<void> TestProxy::Impl::accept() {
  for (;;) {
    auto client = std::make_shared<tcp::socket>(loop);
    co_await acceptor.async_accept(*client, asio::use_awaitable);
    asio::co_spawn(loop, serve(std::move(client)), asio::detached);
  }
}

TestProxy::TestProxy(int target_port) : impl_(std::make_unique<Impl>(target_port)) {
  asio::co_spawn(impl_->loop, impl_->accept(), asio::detached);
  impl_->thread = std::thread([impl = impl_.get()] { impl->loop.run(); });
}

TestProxy::~TestProxy() {
  impl_->loop.stop();
  impl_->thread.join();
}

int TestProxy::port() const noexcept {
  return impl_->acceptor.local_endpoint().port();
}

void TestProxy::refuse(const std::string& answer) {
  std::promise<void> done;
  asio::post(impl_->loop, [&] {
    impl_->refusal = answer;
    done.set_value();
  });
  done.get_future().wait();
}

void TestProxy::ask_for_login() {
  std::promise<void> done;
  asio::post(impl_->loop, [&] {
    impl_->asks_for_login = true;
    done.set_value();
  });
  done.get_future().wait();
}

std::string TestProxy::request() const {
  std::promise<std::string> seen;
  asio::post(impl_->loop, [&] { seen.set_value(impl_->request); });
  return seen.get_future().get();
}

}  // namespace mayfly::testing
