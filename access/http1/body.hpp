// Where the body of an HTTP/1.1 message ends (RFC 9112 section 6), without I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "access/http1/head.hpp"

namespace mayfly {

struct BodyFraming {
  enum class Kind { none, length, chunked, until_close } kind = Kind::none;
  std::uint64_t length = 0;
};

// Returns how the end of the message's body is found. Strict, since requests are smuggled past two
// readers that disagree on an end: one Content-Length of digits, or Transfer-Encoding "chunked"
// alone, never both.
std::variant<BodyFraming, Malformed> framing_of(const RequestHead& head);
// method: of the request that this head answers. Not for 101.
std::variant<BodyFraming, Malformed> framing_of(const ResponseHead& head, std::string_view method);

// Finds the parts of a body that arrives in pieces.
class BodyScanner {
 public:
  explicit BodyScanner(const BodyFraming& framing);

  // Returns the part at the front of `bytes` that is of one sort. It is empty if the body is over
  // or malformed, or if there are no bytes.
  struct Part {
    std::size_t size = 0;
    enum class Sort { data, framing, trailer } sort = Sort::data;
  };
  Part next(std::string_view bytes);

  // Returns how many bytes at the front belong to the message.
  std::size_t take(std::string_view bytes);
  // Like take(), and moves everything but trailers to the front. Trailers are headers that nothing
  // here checks; RFC 9110 section 6.5.1 lets them be dropped.
  struct Kept {
    std::size_t taken = 0, kept = 0;
  };
  Kept take_without_trailers(std::span<char> bytes);

  bool over() const noexcept { return step_ == Step::over; }
  bool malformed() const noexcept { return step_ == Step::malformed; }
  // Returns whether the body is whole if the connection ends now.
  bool may_end_here() const noexcept { return over() || step_ == Step::until_close; }

 private:
  enum class Step {
    length,
    until_close,
    chunk_size,
    chunk_extension,
    chunk_size_end,  // the LF
    chunk_data,
    chunk_data_cr,
    chunk_data_lf,
    trailer,
    over,
    malformed,
  };

  Part data(std::string_view bytes);
  std::size_t framing(std::string_view bytes);
  bool is_in_trailer(char next) const;
  void frame(char c);
  void size_digit(char c);
  void end_size_line();
  void trailer_character(char c);

  Step step_;
  std::uint64_t left_ = 0;  // of the body, or of the chunk
  int digits_ = 0;
  std::size_t line_bytes_ = 0;  // of all trailers
  std::string extension_, trailer_line_;
};

}  // namespace mayfly
