// HTTP/1.1 on a connection: requests in, bytes of responses out.
#include "http_io.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>

namespace edge {
namespace {

namespace http = boost::beast::http;

constexpr std::uint32_t largest_head = 256 * 1024;
constexpr std::uint64_t largest_body = std::uint64_t{256} << 20;

template <typename Text>
std::string text(const Text& view) {
  return {view.data(), view.size()};
}

template <typename Stream>
asio::awaitable<bool> write_to(Stream& stream, std::string_view bytes) {
  error_code error;
  co_await asio::async_write(stream, asio::buffer(bytes.data(), bytes.size()), into(error));
  co_return !error;
}

template <typename Stream>
asio::awaitable<bool> read_from(Stream& stream, std::string& buffer, Request& request) {
  http::request_parser<http::string_body> parser;
  parser.header_limit(largest_head);
  parser.body_limit(largest_body);
  auto dynamic = asio::dynamic_buffer(buffer);
  error_code error;
  co_await http::async_read_header(stream, dynamic, parser, into(error));
  if (error) co_return false;
  if (parser.get()[http::field::expect] == "100-continue") {
    if (!co_await write_to(stream, "HTTP/1.1 100 Continue\r\n\r\n")) co_return false;
  }
  co_await http::async_read(stream, dynamic, parser, into(error));
  if (error) co_return false;
  auto& message = parser.get();
  request = {};
  request.method = text(message.method_string());
  request.target = text(message.target());
  for (const auto& field : message) {
    request.fields.push_back({text(field.name_string()), text(field.value())});
  }
  request.body = std::move(message.body());
  request.keep_alive = message.keep_alive();
  complete(request);
  co_return true;
}

}  // namespace

asio::awaitable<bool> read_request(TlsStream& stream, std::string& buffer, Request& request) {
  return read_from(stream, buffer, request);
}

asio::awaitable<bool> read_request(Socket& socket, std::string& buffer, Request& request) {
  return read_from(socket, buffer, request);
}

asio::awaitable<bool> write_all(TlsStream& stream, std::string_view bytes) {
  return write_to(stream, bytes);
}

asio::awaitable<bool> write_all(Socket& socket, std::string_view bytes) {
  return write_to(socket, bytes);
}

}  // namespace edge
