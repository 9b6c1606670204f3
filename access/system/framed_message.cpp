#include "access/system/framed_message.hpp"

#include <cstring>
#include <span>
#include <utility>

#include "access/system/descriptor.hpp"

namespace mayfly {
namespace {

// Returns false if the other process is gone.
bool fill(int socket, std::span<char> into) {
  return read_all(socket, into) == static_cast<std::ptrdiff_t>(into.size());
}

}  // namespace

void put_part(std::string& text, std::string_view part) {
  const auto size = static_cast<std::uint32_t>(part.size());
  text.append(reinterpret_cast<const char*>(&size), sizeof size).append(part);
}

std::optional<std::string> take_part(std::string_view& text) {
  std::uint32_t size = 0;
  if (text.size() < sizeof size) return std::nullopt;
  std::memcpy(&size, text.data(), sizeof size);
  text.remove_prefix(sizeof size);
  if (text.size() < size) return std::nullopt;
  const std::string part(text.substr(0, size));
  text.remove_prefix(size);
  return part;
}

bool send_message(int socket, std::string_view message) {
  std::string framed;
  put_part(framed, message);
  return send_all(socket, framed);
}

std::optional<std::string> receive_message(int socket) {
  std::uint32_t size = 0;
  if (!fill(socket, {reinterpret_cast<char*>(&size), sizeof size}) || size > max_message_size)
    return std::nullopt;
  std::string message(size, '\0');
  if (!fill(socket, message)) return std::nullopt;
  return message;
}

std::string encode_error(const Error& error) {
  std::string text(1, static_cast<char>(error.kind()));
  put_part(text, error.message());
  put_part(text, error.hint());
  return text;
}

std::optional<Error> decode_error(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const int kind = static_cast<unsigned char>(text.front());
  if (kind == 0 || kind > static_cast<int>(ErrorKind::protocol)) return std::nullopt;
  text.remove_prefix(1);
  auto message = take_part(text);
  auto hint = take_part(text);
  if (!message || !hint || !text.empty()) return std::nullopt;
  return Error(static_cast<ErrorKind>(kind), *std::move(message), *std::move(hint));
}

}  // namespace mayfly
