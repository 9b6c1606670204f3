// Heads of HTTP/1.1 messages, read strictly (RFC 9112 sections 2 to 5), without I/O.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "access/http1/headers.hpp"

namespace mayfly {

// RFC 9110 sections 5.6.2 and 5.5: what may stand before and after the colon of a header.
bool is_token(std::string_view text);
bool is_field_value(std::string_view text);

// Returns the size of the quoted string (RFC 9110 section 5.6.4) or the URI reference in angle
// brackets at the front of a text that is not empty, with both its marks, or 0 if it has no end.
std::size_t size_of_enclosed(std::string_view text);

// Returns the header of a line without its CRLF, or nullopt if the line is none: white space before
// the colon or at the beginning of the line (folding) is refused.
std::optional<Header> read_field(std::string_view line);

struct RequestHead {
  std::string method, target;
  int minor_version = 1;
  Headers headers;
};

struct ResponseHead {
  int minor_version = 1;
  int status = 0;
  std::string reason;
  Headers headers;
};

// Why a message is refused, and the status that a server answers it with.
struct Malformed {
  int status = 400;
  std::string why;
};

// Read a head without its empty line. They judge the syntax alone.
std::variant<RequestHead, Malformed> read_request_head(std::string_view head);
std::variant<ResponseHead, Malformed> read_response_head(std::string_view head);

constexpr std::size_t most_head = std::size_t{64} * 1024;
constexpr std::size_t most_fields = 200;

struct HeadEnd {
  std::size_t head = 0, all = 0;  // the size of the head without and with its empty line
};
// Returns where the head ends in the bytes read so far, or nullopt while it is not whole.
std::optional<HeadEnd> find_head_end(std::string_view bytes);

// Reads the heads of one answer as they arrive: interim ones (1xx), and then the final one. All of
// them together may have most_head bytes.
class ResponseReader {
 public:
  void feed(std::string_view bytes) { text_ += bytes; }

  // Takes the next head off the front. Returns nothing while it is not whole; text that cannot
  // become a head is malformed at once.
  using Next = std::variant<std::monostate, ResponseHead, Malformed>;
  Next next();

  // Returns the bytes after the heads that next() has taken.
  std::string take_rest() { return std::move(text_); }

 private:
  std::string text_;
  std::size_t searched_ = 0;  // of text_: without the end of a head
  std::size_t taken_ = 0;     // the size of the heads so far
};

// Returns whether no other head follows: 101, or any status but 1xx.
inline bool is_final(const ResponseHead& head) {
  return head.status == 101 || head.status >= 200;
}

}  // namespace mayfly
