// Connecting to what stands behind an application.
#include "origin.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "http_io.hpp"

namespace edge {

asio::awaitable<bool> connect(Socket& socket, const std::string& host, std::uint16_t port) {
  error_code error;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) co_return false;
  co_await socket.async_connect({address, port}, into(error));
  if (error) co_return false;
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  co_return true;
}

asio::awaitable<void> answer_instead(TlsStream& stream, const Passage& passage,
                                     const Response& page) {
  Response response = page;
  const auto& fields = passage.answer.fields;
  response.fields.insert(response.fields.begin(), fields.begin(), fields.end());
  passage.entry->status = response.status;
  const std::string text = serialize(response, Body::sent, After::close);
  co_await write_all(stream, text);
}

asio::awaitable<void> wait_until_gone(TlsStream& stream) {
  for (;;) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (!stream.socket().is_open() ||
        getsockopt(stream.socket().native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        info.tcpi_state != TCP_ESTABLISHED) {
      co_return;
    }
    co_await sleep(stream.get_executor(), 0.1);
  }
}

}  // namespace edge
