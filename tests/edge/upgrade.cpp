// The answer to a WebSocket upgrade, written by hand: right, or wrong in a chosen way.
#include "upgrade.hpp"

#include <openssl/sha.h>

#include <array>

#include "crypto.hpp"
#include "http_io.hpp"

namespace edge {
namespace {

// RFC 6455 section 4.2.2.
std::string accept_value(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::string digest(SHA_DIGEST_LENGTH, '\0');
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(digest.data()));
  return base64(digest);
}

}  // namespace

std::string upgrade_head(const Request& request, const std::vector<Field>& fields,
                         const std::string& flaw) {
  std::string head = flaw == "http_1_0" ? "HTTP/1.0 101 Switching Protocols\r\n"
                                        : "HTTP/1.1 101 Switching Protocols\r\n";
  std::string accept = accept_value(request.header("sec-websocket-key"));
  if (flaw == "bad_accept") accept = accept_value("somebody else's key");
  if (flaw != "missing_upgrade") {
    head += flaw == "wrong_upgrade" ? "Upgrade: h2c\r\n" : "Upgrade: websocket\r\n";
  }
  if (flaw != "missing_connection") head += "Connection: Upgrade\r\n";
  if (flaw != "missing_accept") head += "Sec-WebSocket-Accept: " + accept + "\r\n";
  if (flaw == "extension") head += "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  if (flaw == "subprotocol") head += "Sec-WebSocket-Protocol: chat\r\n";
  if (flaw == "huge_headers") head += "X-Padding: " + std::string(1 << 20, 'x') + "\r\n";
  for (int i = 0; flaw == "many_headers" && i < 5000; ++i) {
    head += "X-Field-" + std::to_string(i) + ": 1\r\n";
  }
  for (const Field& field : fields) head += field.name + ": " + field.value + "\r\n";
  if (flaw == "truncated_head") return head.substr(0, head.size() / 2);
  return head + "\r\n";
}

asio::awaitable<void> spoil_upgrade(TlsStream& stream, Passage& passage) {
  const std::string name = passage.answer.flaw->name;
  const std::string flaw = name.substr(name.find('.') + 1);
  passage.entry->status = 101;
  const std::string head = upgrade_head(passage.request, passage.answer.fields, flaw);
  if (!co_await write_all(stream, head) || flaw == "truncated_head") co_return;
  std::array<char, 4096> dropped;
  error_code error;
  while (!error) co_await stream.async_read_some(asio::buffer(dropped), into(error));
}

}  // namespace edge
