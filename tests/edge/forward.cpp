// Passing requests through to a plain HTTP origin.
#include "forward.hpp"

#include <array>
#include <boost/asio/read_until.hpp>
#include <memory>

#include "http_io.hpp"
#include "origin.hpp"
#include "own_answer.hpp"
#include "pages.hpp"

namespace edge {
namespace {

// Fields of this connection alone.
bool is_hop_by_hop(const std::string& name) {
  for (const char* one : {"connection", "expect", "transfer-encoding", "content-length"}) {
    if (same_name(name, one)) return true;
  }
  return false;
}

// The signed assertion for the origin: the token that came, or one that stands for other
// credentials.
std::string assertion(const Passage& passage) {
  const Identity& identity = passage.answer.identity;
  if (!identity.name().empty() && identity.nonce.empty()) {
    return passage.edge.tokens.mint_app(*passage.application, identity, 3600);
  }
  const std::string token = passage.request.header("cf-access-token");
  return token.empty() ? passage.request.cookie("CF_Authorization") : token;
}

std::string request_text(const Passage& passage) {
  const Request& request = passage.request;
  std::string text = request.method + " " + request.target + " HTTP/1.1\r\n";
  for (const Field& field : fields_for_origin(request, *passage.application)) {
    if (!is_hop_by_hop(field.name)) text += field.name + ": " + field.value + "\r\n";
  }
  const std::string token = assertion(passage);
  if (!token.empty()) text += "Cf-Access-Jwt-Assertion: " + token + "\r\n";
  const std::string& email = passage.answer.identity.email;
  if (!email.empty()) text += "Cf-Access-Authenticated-User-Email: " + email + "\r\n";
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  text += request.upgrade ? "Connection: Upgrade\r\n\r\n" : "Connection: close\r\n\r\n";
  return text + request.body;
}

// Reads the origin's head and puts the edge's own fields into it; "" when there is none.
asio::awaitable<std::string> read_head(Socket& origin, Passage& passage) {
  std::string head;
  error_code error;
  const std::size_t end =
      co_await asio::async_read_until(origin, asio::dynamic_buffer(head), "\r\n\r\n", into(error));
  const std::size_t line = head.find("\r\n");
  if (error || end == 0 || line < 12) co_return std::string();
  passage.entry->status = std::atoi(head.c_str() + 9);
  std::string ours;
  for (const Field& field : passage.answer.fields) ours += field.name + ": " + field.value + "\r\n";
  head.insert(line + 2, ours);
  co_return head;
}

template <typename From, typename To>
asio::awaitable<void> pump(From& from, To& to, std::uint64_t& count) {
  std::array<char, 16384> buffer;
  for (;;) {
    error_code error;
    const std::size_t size = co_await from.async_read_some(asio::buffer(buffer), into(error));
    if (error || !co_await write_all(to, {buffer.data(), size})) co_return;
    count += size;
  }
}

}  // namespace

asio::awaitable<void> forward(TlsStream& stream, Passage& passage) {
  const Origin& target = passage.application->origin;
  auto origin = std::make_shared<Socket>(stream.get_executor());
  const Response down = error_page(502, 502, passage.ray);
  if (!co_await connect(*origin, target.host, target.port)) {
    co_return co_await answer_instead(stream, passage, down);
  }
  std::string head;
  const std::string request = request_text(passage);
  if (co_await write_all(*origin, request)) {
    head = co_await read_head(*origin, passage);
  }
  if (head.empty()) co_return co_await answer_instead(stream, passage, down);
  if (!co_await write_all(stream, head)) co_return;
  auto record = std::make_shared<TunnelRecord>();
  record->started = wall_time();
  const bool upgraded = passage.entry->status == 101;
  if (upgraded) passage.entry->tunnel = record;
  auto shared = std::make_shared<TlsStream>(stream);
  asio::co_spawn(
      shared->get_executor(),
      [shared, origin, record]() -> asio::awaitable<void> {
        co_await pump(*shared, *origin, record->bytes_in);
        error_code ignored;
        origin->close(ignored);
      },
      asio::detached);
  co_await pump(*origin, *shared, record->bytes_out);
  record->open = false;
  record->end = "close";
  record->seconds = wall_time() - record->started;
}

}  // namespace edge
