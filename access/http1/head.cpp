#include "access/http1/head.hpp"

#include <algorithm>
#include <charconv>

#include "access/core/text.hpp"

namespace mayfly {
namespace {

constexpr std::size_t longest_method = 32;

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

// Takes a line and its CRLF off the front. A lone CR or LF stays in the line, which is refused for
// it.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find("\r\n"), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 2, text.size()));
  return line;
}

std::optional<Malformed> read_fields(std::string_view text, Headers& headers) {
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.starts_with(' ') || line.starts_with('\t'))
      return Malformed{400, "a header is folded over two lines"};
    auto field = read_field(line);
    if (!field) return Malformed{400, "a header is malformed"};
    if (headers.size() == most_fields) return Malformed{431, "there are too many headers"};
    headers.add(std::move(field->name), std::move(field->value));
  }
  return std::nullopt;
}

// "GET /path HTTP/1.1" (RFC 9112 section 3).
std::optional<Malformed> read_request_line(std::string_view line, RequestHead& head) {
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return Malformed{400, "the request line is malformed"};
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view protocol = line.substr(last + 1);
  if (!is_token(method) || method.size() > longest_method || target.empty() || !is_visible(target))
    return Malformed{400, "the request line is malformed"};
  if (protocol != "HTTP/1.1" && protocol != "HTTP/1.0")
    return Malformed{505, "only HTTP/1.1 is spoken here"};
  head.method = method;
  head.target = target;
  head.minor_version = protocol.back() - '0';
  return std::nullopt;
}

// "HTTP/1.1 101 Switching Protocols" (RFC 9112 section 4).
std::optional<Malformed> read_status_line(std::string_view line, ResponseHead& head) {
  constexpr std::size_t status_at = 9, status_end = 12;
  const Malformed bad{502, "its status line is malformed"};
  if (!(line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ")) ||
      line.size() < status_end || (line.size() > status_end && line[status_end] != ' ') ||
      !is_field_value(line))
    return bad;
  const char* const begin = line.data() + status_at;
  const char* const wanted_end = line.data() + status_end;
  const auto [end, error] = std::from_chars(begin, wanted_end, head.status);
  if (error != std::errc() || end != wanted_end || head.status < 100) return bad;
  head.minor_version = line[7] - '0';
  if (head.status == 101 && head.minor_version == 0)
    return Malformed{502, "it switches protocols in HTTP/1.0"};
  if (line.size() > status_end) head.reason = line.substr(status_end + 1);
  return std::nullopt;
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && is_visible(text) &&
         text.find_first_of("()<>@,;:\\\"/[]?={}") == std::string_view::npos;
}

bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

std::size_t size_of_enclosed(std::string_view text) {
  const char end = text.front() == '<' ? '>' : '"';
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == end) return i + 1;
    if (text[i] == '\\' && end == '"') ++i;
  }
  return 0;
}

std::optional<Header> read_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) || !is_field_value(line))
    return std::nullopt;
  return Header{std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))};
}

std::variant<RequestHead, Malformed> read_request_head(std::string_view text) {
  RequestHead head;
  if (const auto problem = read_request_line(take_line(text), head)) return *problem;
  if (const auto problem = read_fields(text, head.headers)) return *problem;
  return head;
}

std::variant<ResponseHead, Malformed> read_response_head(std::string_view text) {
  ResponseHead head;
  if (const auto problem = read_status_line(take_line(text), head)) return *problem;
  if (const auto problem = read_fields(text, head.headers)) return Malformed{502, problem->why};
  return head;
}

std::optional<HeadEnd> find_head_end(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  return HeadEnd{end, end + 4};
}

ResponseReader::Next ResponseReader::next() {
  constexpr std::string_view empty_line = "\r\n\r\n";
  const Malformed too_long{502, "its head is too long"};
  if (!text_.empty() && text_.front() != 'H')
    return Malformed{502, "it begins with something else"};
  const std::size_t end = text_.find(empty_line, searched_);
  if (end == std::string::npos) {
    searched_ = text_.size() - std::min(text_.size(), empty_line.size() - 1);
    if (taken_ + text_.size() > most_head) return too_long;
    return {};
  }
  const std::size_t size = end + empty_line.size();
  taken_ += size;
  if (taken_ > most_head) return too_long;
  auto read = read_response_head(std::string_view(text_).substr(0, end));
  text_.erase(0, size);
  searched_ = 0;
  if (auto* head = std::get_if<ResponseHead>(&read)) return std::move(*head);
  return std::get<Malformed>(std::move(read));
}

}  // namespace mayfly
