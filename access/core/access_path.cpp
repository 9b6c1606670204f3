#include "access/core/access_path.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "access/core/encoding.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

constexpr std::string_view space = "cdncgi";  // without hyphens, of which there are many kinds
constexpr std::string_view access = "access";

// Undoes one round of percent-encoding. Keeps a "%" that begins no encoding; "%u002f", which old
// servers decode, begins one.
std::string decoded_once(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const bool wide = rest.starts_with("%u00") || rest.starts_with("%U00");
    const auto byte = rest.front() != '%' ? std::nullopt : hex_byte(rest.substr(wide ? 4 : 1));
    decoded.push_back(byte ? static_cast<char>(*byte) : rest.front());
    at += !byte ? 1 : wide ? 6 : 3;
  }
  return decoded;
}

// Each round that changes anything makes the text shorter, so this ends.
std::string decoded_fully(std::string_view text) {
  std::string decoded(text);
  for (std::string next; (next = decoded_once(decoded)) != decoded;) decoded = std::move(next);
  return decoded;
}

// Returns the code point at the front of `text` and its length in bytes. Reads overlong forms too,
// as a careless decoder does.
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

// Returns the ASCII character to which some servers fold a code point, or 0 if there is none.
char folded(std::uint32_t point) {
  if (point >= 0xff01 && point <= 0xff5e) point -= 0xfee0;  // full-width forms
  if (point == 0x17f) return 's';                           // long s
  if (point == 0x130 || point == 0x131) return 'i';         // Turkish i
  if ((point >= 0x2010 && point <= 0x2015) || point == 0x2212) return '-';
  return point < 0x7f ? static_cast<char>(point) : '\0';
}

// How blanks ("+" is one) and control characters are read: some servers drop them, and for others
// they end a name.
enum class Blanks { dropped, end_names };

// Returns the text in lower case, without any "%" that is left and without soft hyphens, which some
// servers drop.
std::string plain(std::string_view text, Blanks blanks) {
  constexpr std::uint32_t soft_hyphen = 0xad;
  std::string plain;
  while (!text.empty()) {
    const auto [point, size] = careless_code_point(text);
    const char c = folded(point);
    const bool is_blank = point <= ' ' || c == '+' || (point >= 0x7f && point <= 0x9f);
    if (is_blank && blanks == Blanks::end_names) plain.push_back('\1');
    if (!is_blank && c == '\0' && point != soft_hyphen) plain.push_back('?');  // another letter
    if (!is_blank && c != '\0' && c != '%') plain.push_back(c);
    text.remove_prefix(size);
  }
  return to_lower(plain);
}

// Returns whether a segment is `name`, perhaps with parameters, a dot or other signs after it.
bool is_named(std::string_view segment, std::string_view name) {
  if (!segment.starts_with(name)) return false;
  if (segment.size() == name.size()) return true;
  const char next = segment[name.size()];
  return !((next >= 'a' && next <= 'z') || (next >= '0' && next <= '9') || next == '-' ||
           next == '_');
}

bool is_space(std::string_view segment) {
  std::string name(segment);
  std::erase(name, '-');
  return is_named(name, space);
}

// How a server reads a path.
struct Reading {
  enum class Slashes { kept, merged } slashes = Slashes::kept;
  enum class Parameters { kept, cut } parameters = Parameters::kept;
  enum class Backslashes { kept, slashes } backslashes = Backslashes::kept;
};

constexpr int all_readings = 8;

Reading reading(int number) {
  Reading one;
  if ((number & 1) != 0) one.slashes = Reading::Slashes::merged;
  if ((number & 2) != 0) one.parameters = Reading::Parameters::cut;
  if ((number & 4) != 0) one.backslashes = Reading::Backslashes::slashes;
  return one;
}

// Returns the path without dot segments (RFC 3986 section 5.2.4).
std::string resolved(std::string path, Reading how) {
  if (how.backslashes == Reading::Backslashes::slashes)
    std::replace(path.begin(), path.end(), '\\', '/');
  std::string_view rest = path;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  std::vector<std::string_view> kept;
  for (std::string_view part : split(rest, '/')) {
    if (how.parameters == Reading::Parameters::cut)
      part = part.substr(0, part.find_first_of(";?#"));
    if (part == ".." && !kept.empty()) kept.pop_back();
    if (part == "." || part == "..") continue;
    if (!part.empty() || how.slashes == Reading::Slashes::kept) kept.push_back(part);
  }
  std::string result;
  for (const std::string_view part : kept) {
    result += '/';
    result += part;
  }
  return result;
}

// Returns whether a decoded path begins with Access's own path, or has it behind the name of
// another host or of a service of Cloudflare ("/cdn-cgi/image/x/https://host/cdn-cgi/access/...").
bool holds_access(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  bool is_inner = false, is_in_space = false;
  std::size_t place = 0, place_of_space = 0;
  for (const std::string_view name : split(path, '/')) {
    if (name.empty()) is_inner = true;
    if (name.empty()) continue;
    if (is_in_space && is_named(name, access) && (place_of_space > 0 || place == 1)) return true;
    if (is_space(name) && (place == 0 || is_inner)) {
      is_in_space = true;
      is_inner = true;
      place_of_space = place;
    }
    ++place;
  }
  return false;
}

bool is_of_access(const std::string& path) {
  for (const Blanks blanks : {Blanks::dropped, Blanks::end_names}) {
    const std::string text = plain(path, blanks);
    if (holds_access(text)) return true;
    for (int i = 0; i < all_readings; ++i)
      if (holds_access(resolved(text, reading(i)))) return true;
  }
  return false;
}

bool names_space(std::string_view path) {
  std::string text = plain(path, Blanks::dropped);
  std::erase(text, '-');
  return text.find(space) != std::string::npos;
}

}  // namespace

bool may_be_path_of_access(std::string_view target) {
  const std::string path(target.substr(0, target.find('?')));
  if (!names_space(decoded_fully(path))) return false;
  constexpr std::size_t most_readings = 64;
  std::set<std::string> now = {path}, seen;
  while (!now.empty()) {
    std::set<std::string> next;
    for (const std::string& text : now) {
      if (!seen.insert(text).second) continue;
      if (seen.size() > most_readings || is_of_access(text)) return true;
      next.insert(decoded_once(text));
      for (int i = 0; i < all_readings; ++i) next.insert(decoded_once(resolved(text, reading(i))));
    }
    now = std::move(next);
  }
  return false;
}

void refuse_path_of_access(const Url& url) {
  if (!may_be_path_of_access(url.path)) return;
  throw Error(ErrorKind::usage,
              fmt::format("{} is a path of Access itself and no application", printable(url.path)),
              fmt::format("name the application's own address: {}", url.authority()));
}

}  // namespace mayfly
