#include "access/core/access_path.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "access/core/text.hpp"

namespace mayfly {
namespace {

constexpr std::string_view space = "cdn-cgi";
constexpr std::string_view access = "access";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int hex_byte(std::string_view text) {
  if (text.size() < 2) return -1;
  const int high = hex_digit(text[0]), low = hex_digit(text[1]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// One round of percent-decoding; what is no encoding stays. "%u002f" (of old servers) counts too.
std::string decoded_once(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const bool wide = rest.starts_with("%u00") || rest.starts_with("%U00");
    const int byte = rest.front() != '%' ? -1 : hex_byte(rest.substr(wide ? 4 : 1));
    decoded.push_back(byte < 0 ? rest.front() : static_cast<char>(byte));
    at += byte < 0 ? 1 : wide ? 6 : 3;
  }
  return decoded;
}

// Each round that changes anything makes the text shorter, so this ends.
std::string decoded_fully(std::string_view text) {
  std::string decoded(text);
  for (std::string next; (next = decoded_once(decoded)) != decoded;) decoded = std::move(next);
  return decoded;
}

// The code point at the front of `text` and its length in bytes, read as a careless decoder would:
// overlong forms are taken for what they stand for.
std::pair<std::uint32_t, std::size_t> careless_code_point(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const std::size_t size = byte(0) < 0xc0 ? 1 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  if (size == 1 || text.size() < size) return {byte(0), 1};
  std::uint32_t point = byte(0) & (0x7fU >> size);
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return {byte(0), 1};
    point = (point << 6) | (byte(at) & 0x3fU);
  }
  return {point, size};
}

// The ASCII character that a code point is folded to by some servers; 0 when there is none.
char folded(std::uint32_t point) {
  if (point >= 0xff01 && point <= 0xff5e) point -= 0xfee0;  // full-width forms
  if (point == 0x17f) return 's';                           // long s
  if (point == 0x130 || point == 0x131) return 'i';         // Turkish i
  if (point >= 0x2010 && point <= 0x2015) return '-';
  return point < 0x7f ? static_cast<char>(point) : '\0';
}

// Lower case, "/" for a backslash, without blanks, control characters and leftover "%", all of
// which some server drops.
std::string plain(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const auto [point, size] = careless_code_point(text);
    const char c = folded(point);
    if (c == '\0' && point > 0x9f) plain.push_back('?');  // some other letter
    if (c > ' ' && c != '%') plain.push_back(c == '\\' ? '/' : c);
    text.remove_prefix(size);
  }
  return to_lower(plain);
}

// Whether a segment is `name`, perhaps with parameters, a dot or other signs after it.
bool is_named(std::string_view segment, std::string_view name) {
  if (!segment.starts_with(name)) return false;
  if (segment.size() == name.size()) return true;
  const char next = segment[name.size()];
  return !((next >= 'a' && next <= 'z') || (next >= '0' && next <= '9') || next == '-' ||
           next == '_');
}

struct Segments {
  std::vector<std::string_view> names;  // without empty ones and "."
  bool odd = false;  // servers may disagree on which path it is: "..", "//", parameters
};

Segments segments_of(std::string_view path) {
  Segments found;
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto parts = split(path, '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string_view name = parts[i].substr(0, parts[i].find_first_of(";?#"));
    if (name.size() != parts[i].size() || name == "..") found.odd = true;
    if (name.empty() && i + 1 < parts.size()) found.odd = true;
    if (!name.empty() && name != ".") found.names.push_back(parts[i]);
  }
  return found;
}

}  // namespace

bool may_be_path_of_access(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string decoded = decoded_fully(path);
  const std::string text = plain(decoded);
  const std::size_t first = text.find(space);
  if (first == std::string::npos) return false;
  const auto [names, odd] = segments_of(text);
  // What was encoded twice, or begins with no "/", is read differently by different servers, and so
  // is a path within a path ("/cdn-cgi/image/x/https://host/cdn-cgi/access/...").
  const bool unclear = odd || decoded != decoded_once(path) || !path.starts_with('/') ||
                       text.find(space, first + space.size()) != std::string::npos;
  if (unclear) return true;
  return names.size() >= 2 && is_named(names[0], space) && is_named(names[1], access);
}

}  // namespace mayfly
