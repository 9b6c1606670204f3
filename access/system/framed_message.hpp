// Messages between a process and the child that it has forked: parts that begin with their size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "access/core/error.hpp"

namespace mayfly {

// Appends a part. Both processes run on the same machine, so its byte order serves.
void put_part(std::string& text, std::string_view part);
// Takes the first part off the text. Returns nullopt if the text holds no whole part.
std::optional<std::string> take_part(std::string_view& text);

constexpr std::uint32_t max_message_size = 1 << 20;

// Sends one message. Returns false if the other process is gone.
bool send_message(int socket, std::string_view message);
// Waits for a message. Returns nullopt if the other process is gone or the message is too large.
std::optional<std::string> receive_message(int socket);

// Returns the parts of the error, which decode_error() makes an error again.
std::string encode_error(const Error& error);
// Returns nullopt for a text that encode_error() did not write, such as one of a dying process.
std::optional<Error> decode_error(std::string_view text);

}  // namespace mayfly
