// Heads of HTTP/1.1 messages, read strictly (RFC 9112 sections 2 to 5), without I/O.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "access/http1/headers.hpp"

namespace mayfly {

// RFC 9110 sections 5.6.2 and 5.5: what may stand before and after the colon of a header.
bool is_token(std::string_view text);
bool is_field_value(std::string_view text);

// A line without its CRLF; nothing for what is no header. White space before the colon or at the
// beginning of the line (folding) is none.
std::optional<Header> read_field(std::string_view line);

struct StatusLine {
  int minor_version = 1;
  int status = 0;
  std::string_view reason;
};
std::optional<StatusLine> read_status_line(std::string_view line);

struct RequestHead {
  std::string method, target;
  int minor_version = 1;
  Headers headers;
};

// Why a message is not taken: what a server answers, and why.
struct Malformed {
  int status = 400;
  std::string why;
};

// Everything before the empty line, without that line. Only the syntax is judged here.
std::variant<RequestHead, Malformed> read_request_head(std::string_view head);

struct ResponseHead {
  int minor_version = 1;
  int status = 0;
  std::string reason;
  Headers headers;
};
std::variant<ResponseHead, Malformed> read_response_head(std::string_view head);

constexpr std::size_t most_head = std::size_t{64} * 1024;
constexpr std::size_t most_fields = 200;

// Where a head ends in the bytes read so far: the size of the head without its empty line, and the
// size with it. Nothing while it is not whole.
struct HeadEnd {
  std::size_t head = 0, all = 0;
};
std::optional<HeadEnd> find_head_end(std::string_view bytes);

}  // namespace mayfly
