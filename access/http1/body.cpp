#include "access/http1/body.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "access/core/text.hpp"

namespace mayfly {
namespace {

using Kind = BodyFraming::Kind;

constexpr std::uint64_t longest = std::numeric_limits<std::int64_t>::max();
constexpr int most_digits = 15;  // hexadecimal, of a chunk's size: below `longest`
constexpr std::size_t most_extension = 1024;
constexpr std::size_t most_trailers = std::size_t{16} * 1024;

Malformed bad(std::string why) {
  return {400, std::move(why)};
}

std::variant<BodyFraming, Malformed> length_of(std::string_view digits) {
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos ||
      error != std::errc() || length > longest)
    return bad("its Content-Length is no number");
  return BodyFraming{length == 0 ? Kind::none : Kind::length, length};
}

// Returns the framing by the headers, or `otherwise` if they have none.
std::variant<BodyFraming, Malformed> framing_in(const Headers& headers, int minor_version,
                                                Kind otherwise) {
  const auto lengths = headers.all("Content-Length");
  const auto encodings = headers.all("Transfer-Encoding");
  if (!lengths.empty() && !encodings.empty())
    return bad("it has both Content-Length and Transfer-Encoding");
  if (lengths.size() > 1) return bad("it has more than one Content-Length");
  if (!lengths.empty()) return length_of(lengths.front());
  if (encodings.empty()) return BodyFraming{otherwise, 0};
  if (encodings.size() > 1 || !equals_ignoring_case(encodings.front(), "chunked"))
    return Malformed{501, "it has a Transfer-Encoding other than chunked"};
  if (minor_version == 0) return bad("it has a Transfer-Encoding in HTTP/1.0");
  return BodyFraming{Kind::chunked, 0};
}

int value_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

// Takes a token or a quoted-string off the front (RFC 9110 sections 5.6.2 and 5.6.4).
bool take_value(std::string_view& text) {
  std::size_t end = 0;
  if (text.starts_with('"')) {
    end = size_of_enclosed(text);
  } else {
    while (end < text.size() && is_token(text.substr(end, 1))) ++end;
  }
  text.remove_prefix(end);
  return end > 0;
}

// RFC 9112 section 7.1.1. A reader that looks for the end of an open quotation mark behind the line
// would find another end of the chunk.
bool is_chunk_extension(std::string_view text) {
  while (!text.empty()) {
    skip_blanks(text);
    if (!text.starts_with(';')) return false;
    text.remove_prefix(1);
    skip_blanks(text);
    if (text.starts_with('"') || !take_value(text)) return false;
    std::string_view behind = text;
    skip_blanks(behind);
    if (!behind.starts_with('=')) continue;
    behind.remove_prefix(1);
    skip_blanks(behind);
    if (!take_value(behind)) return false;
    text = behind;
  }
  return true;
}

}  // namespace

std::variant<BodyFraming, Malformed> framing_of(const RequestHead& head) {
  return framing_in(head.headers, head.minor_version, Kind::none);
}

std::variant<BodyFraming, Malformed> framing_of(const ResponseHead& head, std::string_view method) {
  auto framing = framing_in(head.headers, head.minor_version, Kind::until_close);
  const int status = head.status;
  const bool empty = method == "HEAD" || status < 200 || status == 204 || status == 304;
  if (empty && std::holds_alternative<BodyFraming>(framing)) return BodyFraming{};
  return framing;
}

BodyScanner::BodyScanner(const BodyFraming& framing) : step_(Step::over), left_(framing.length) {
  if (framing.kind == Kind::length) step_ = Step::length;
  if (framing.kind == Kind::chunked) step_ = Step::chunk_size;
  if (framing.kind == Kind::until_close) step_ = Step::until_close;
}

BodyScanner::Part BodyScanner::next(std::string_view bytes) {
  if (step_ == Step::over || step_ == Step::malformed) return {};
  if (step_ == Step::length || step_ == Step::until_close || step_ == Step::chunk_data)
    return data(bytes);
  const bool in_trailer = !bytes.empty() && is_in_trailer(bytes.front());
  return {framing(bytes), in_trailer ? Part::Sort::trailer : Part::Sort::framing};
}

// Returns false in the empty line after the trailers.
bool BodyScanner::is_in_trailer(char next) const {
  if (step_ != Step::trailer) return false;
  return trailer_line_.empty() ? next != '\r' : trailer_line_ != "\r";
}

std::size_t BodyScanner::take(std::string_view bytes) {
  std::size_t size = 0;
  for (;;) {
    const Part part = next(bytes.substr(size));
    if (part.size == 0) return size;
    size += part.size;
  }
}

BodyScanner::Part BodyScanner::data(std::string_view bytes) {
  if (step_ == Step::until_close) return {bytes.size(), Part::Sort::data};
  const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
  left_ -= size;
  if (left_ == 0) step_ = step_ == Step::length ? Step::over : Step::chunk_data_cr;
  return {size, Part::Sort::data};
}

// Returns the size of the framing up to the next data or trailer, or to the end of the body. Does
// not count a malformed byte.
std::size_t BodyScanner::framing(std::string_view bytes) {
  std::size_t size = 0;
  const bool from_trailer = !bytes.empty() && is_in_trailer(bytes.front());
  while (size < bytes.size() && step_ != Step::chunk_data && step_ != Step::over &&
         is_in_trailer(bytes[size]) == from_trailer) {
    frame(bytes[size]);
    if (step_ == Step::malformed) break;
    ++size;
  }
  return size;
}

BodyScanner::Kept BodyScanner::take_without_trailers(std::span<char> bytes) {
  Kept result;
  for (;;) {
    const auto rest = bytes.subspan(result.taken);
    const Part part = next({rest.data(), rest.size()});
    if (part.size == 0) return result;
    if (part.sort != Part::Sort::trailer) {
      std::memmove(bytes.data() + result.kept, rest.data(), part.size);
      result.kept += part.size;
    }
    result.taken += part.size;
  }
}

void BodyScanner::frame(char c) {
  switch (step_) {
    case Step::chunk_size:
      return size_digit(c);
    case Step::chunk_extension:
      if (c == '\r')
        step_ = is_chunk_extension(extension_) ? Step::chunk_size_end : Step::malformed;
      else if (extension_.size() == most_extension || !is_field_value({&c, 1}))
        step_ = Step::malformed;
      else
        extension_ += c;
      return;
    case Step::chunk_size_end:
      return c == '\n' ? end_size_line() : void(step_ = Step::malformed);
    case Step::chunk_data_cr:
      step_ = c == '\r' ? Step::chunk_data_lf : Step::malformed;
      return;
    case Step::chunk_data_lf:
      step_ = c == '\n' ? Step::chunk_size : Step::malformed;
      return;
    case Step::trailer:
      return trailer_character(c);
    default:
      return;
  }
}

void BodyScanner::size_digit(char c) {
  const int value = value_of(c);
  if (value >= 0 && digits_ < most_digits) {
    left_ = left_ * 16 + static_cast<std::uint64_t>(value);
    ++digits_;
  } else if (value < 0 && digits_ > 0 && c == ';') {
    step_ = Step::chunk_extension;
    extension_ = c;
  } else {
    step_ = value < 0 && digits_ > 0 && c == '\r' ? Step::chunk_size_end : Step::malformed;
  }
}

void BodyScanner::end_size_line() {
  step_ = left_ > 0 ? Step::chunk_data : Step::trailer;
  digits_ = 0;
  line_bytes_ = 0;
}

void BodyScanner::trailer_character(char c) {
  if (++line_bytes_ > most_trailers) {
    step_ = Step::malformed;
  } else if (c != '\n') {
    trailer_line_ += c;
  } else if (trailer_line_ == "\r") {
    step_ = Step::over;
  } else {
    const bool ends = trailer_line_.ends_with('\r');
    if (ends) trailer_line_.pop_back();
    if (!ends || !read_field(trailer_line_)) step_ = Step::malformed;
    trailer_line_.clear();
  }
}

}  // namespace mayfly
