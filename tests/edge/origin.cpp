// Connecting to what stands behind an application.
#include "origin.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "http_io.hpp"
#include "pages.hpp"

namespace edge {
namespace {

// A bastion's destination: "host:port", "[::1]:port", with or without scheme and path.
std::optional<Destination> parse_destination(std::string text) {
  if (const auto scheme = text.find("://"); scheme != std::string::npos) text.erase(0, scheme + 3);
  text = text.substr(0, text.find('/'));
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const int port = std::atoi(text.c_str() + colon + 1);
  if (port <= 0 || port > 65535) return std::nullopt;
  return Destination{host, static_cast<std::uint16_t>(port)};
}

bool is_loopback(const std::string& host) {
  error_code error;
  const auto address = asio::ip::make_address(host, error);
  return host == "localhost" || (!error && address.is_loopback());
}

}  // namespace

std::optional<Response> choose_destination(const Passage& passage,
                                           std::optional<Destination>& destination) {
  const Origin& origin = passage.application->origin;
  if (origin.kind == OriginKind::tcp) destination = Destination{origin.host, origin.port};
  if (origin.kind != OriginKind::bastion) return std::nullopt;
  destination = parse_destination(passage.request.header("cf-access-jump-destination"));
  if (!destination) return message_page(400, "Bad request", "No usable jump destination.");
  const auto& hosts = passage.application->hosts;
  if (const auto known = hosts.find(destination->host); known != hosts.end()) {
    destination->host = known->second;
  }
  if (!is_loopback(destination->host)) return forbidden_page(passage.request.host, passage.ray);
  return std::nullopt;
}

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
