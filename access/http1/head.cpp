#include "access/http1/head.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "access/core/error.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

constexpr std::size_t longest_method = 32;
constexpr std::string_view version = "HTTP/1.";

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

// Takes a line and its CRLF off the front. Lone CR and LF are left in it, for others to refuse.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find("\r\n"), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 2, text.size()));
  return line;
}

std::optional<Malformed> read_fields(std::string_view text, std::vector<Header>& headers) {
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.starts_with(' ') || line.starts_with('\t'))
      return Malformed{400, "a header is folded over two lines"};
    auto field = read_field(line);
    if (!field) return Malformed{400, "a header is malformed"};
    if (headers.size() == most_fields) return Malformed{431, "there are too many headers"};
    headers.push_back(std::move(*field));
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

bool lists_token(std::string_view value, std::string_view token) {
  const auto parts = split(value, ',');
  return std::ranges::any_of(
      parts, [&](std::string_view part) { return equals_ignoring_case(trim(part), token); });
}

std::optional<Header> read_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) || !is_field_value(line))
    return std::nullopt;
  return Header(line.substr(0, colon), trim(line.substr(colon + 1)));
}

// "HTTP/1.1 101 Switching Protocols" (RFC 9112 section 4).
std::optional<StatusLine> read_status_line(std::string_view line) {
  if (!line.starts_with(version) || line.size() < 12 || line[8] != ' ' ||
      (line[7] != '0' && line[7] != '1') || (line.size() > 12 && line[12] != ' ') ||
      !is_field_value(line))
    return std::nullopt;
  StatusLine read;
  const auto [end, error] = std::from_chars(line.data() + 9, line.data() + 12, read.status);
  if (error != std::errc() || end != line.data() + 12 || read.status < 100) return std::nullopt;
  read.minor_version = line[7] - '0';
  if (line.size() > 13) read.reason = line.substr(13);
  return read;
}

std::vector<std::string_view> values_of(const std::vector<Header>& headers, std::string_view name) {
  std::vector<std::string_view> values;
  for (const Header& header : headers)
    if (equals_ignoring_case(header.first, name)) values.push_back(header.second);
  return values;
}

std::variant<RequestHead, Malformed> read_request_head(std::string_view text) {
  RequestHead head;
  if (const auto problem = read_request_line(take_line(text), head)) return *problem;
  if (const auto problem = read_fields(text, head.headers)) return *problem;
  return head;
}

std::variant<ResponseHead, Malformed> read_response_head(std::string_view text) {
  const auto line = read_status_line(take_line(text));
  if (!line) return Malformed{502, "its status line is malformed"};
  ResponseHead head{.minor_version = line->minor_version,
                    .status = line->status,
                    .reason = std::string(line->reason),
                    .headers = {}};
  if (auto problem = read_fields(text, head.headers)) return Malformed{502, problem->why};
  return head;
}

std::optional<HeadEnd> find_head_end(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  return HeadEnd{end, end + 4};
}

std::string header_line(const Header& header) {
  const auto& [name, value] = header;
  if (!is_token(name)) {
    throw Error(ErrorKind::usage,
                fmt::format("\"{}\" is not the name of an HTTP header", printable(name)),
                "a header is written NAME: VALUE");
  }
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    throw Error(ErrorKind::usage,
                fmt::format("the value of the header {} holds a line break or NUL", name));
  }
  // libcurl takes "Name:" for the removal of a header, "Name;" for one without a value.
  return trim(value).empty() ? name + ";" : name + ": " + value;
}

}  // namespace mayfly
