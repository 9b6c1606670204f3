#include "access/core/punycode.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "access/core/text.hpp"

namespace mayfly {
namespace {

// RFC 3492 section 5.
constexpr std::uint32_t base = 36, t_min = 1, t_max = 26, skew = 38, damp = 700;
constexpr std::uint32_t initial_bias = 72, initial_n = 128;
constexpr char32_t highest = 0x10FFFF;
constexpr std::size_t longest_label = 63;  // RFC 1035 section 2.3.4

char digit(std::uint32_t value) {
  return static_cast<char>(value < 26 ? 'a' + value : '0' + (value - 26));
}

// RFC 3492 section 6.1.
std::uint32_t adapted(std::uint32_t delta, std::uint32_t points, bool is_first) {
  delta = is_first ? delta / damp : delta / 2;
  delta += delta / points;
  std::uint32_t k = 0;
  for (; delta > ((base - t_min) * t_max) / 2; k += base) delta /= base - t_min;
  return k + (base - t_min + 1) * delta / (delta + skew);
}

void append_integer(std::string& text, std::uint32_t value, std::uint32_t bias) {
  for (std::uint32_t k = base;; k += base) {
    const std::uint32_t t = k <= bias ? t_min : std::min(k - bias, t_max);
    if (value < t) break;
    text += digit(t + (value - t) % (base - t));
    value = (value - t) / (base - t);
  }
  text += digit(value);
}

// RFC 3492 section 6.3. The label is short, so no sum overflows.
std::string encoded(const std::u32string& label) {
  std::string text;
  for (const char32_t c : label)
    if (c < initial_n) text += static_cast<char>(c);
  const auto basic = static_cast<std::uint32_t>(text.size());
  if (basic > 0) text += '-';
  std::uint32_t n = initial_n, delta = 0, bias = initial_bias, handled = basic;
  while (handled < label.size()) {
    std::uint32_t next = highest;
    for (const char32_t c : label)
      if (c >= n) next = std::min(next, static_cast<std::uint32_t>(c));
    delta += (next - n) * (handled + 1);
    n = next;
    for (const char32_t c : label) {
      if (c < n) ++delta;
      if (c != n) continue;
      append_integer(text, delta, bias);
      bias = adapted(delta, handled + 1, handled == basic);
      delta = 0;
      ++handled;
    }
    ++delta;
    ++n;
  }
  return text;
}

// Returns nullopt for invalid UTF-8.
std::optional<std::u32string> code_points(std::string_view utf8) {
  std::u32string points;
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i++]);
    if (lead < 0x80) {
      points += lead;
      continue;
    }
    const int more = lead >= 0xF0 && lead < 0xF5 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC2 ? 1 : 0;
    if (more == 0 || lead >= 0xF5) return std::nullopt;
    char32_t point = lead & (0x3F >> more);
    for (int left = more; left > 0; --left) {
      if (i == utf8.size() || (static_cast<unsigned char>(utf8[i]) & 0xC0) != 0x80)
        return std::nullopt;
      point = (point << 6) | (static_cast<unsigned char>(utf8[i++]) & 0x3F);
    }
    constexpr std::array<char32_t, 4> least = {0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = point >= 0xD800 && point <= 0xDFFF;
    if (point < least.at(static_cast<std::size_t>(more)) || point > highest || is_surrogate)
      return std::nullopt;
    if (point != 0xFE0F) points += point;
  }
  return points;
}

}  // namespace

std::optional<std::string> xn_form(std::string_view utf8_host) {
  std::string host;
  for (const std::string_view label : split(utf8_host, '.')) {
    const auto points = code_points(to_lower(label));
    if (!points || points->size() > longest_label) return std::nullopt;
    const bool is_ascii = std::ranges::all_of(*points, [](char32_t c) { return c < 0x80; });
    if (!host.empty()) host += '.';
    host += is_ascii ? std::string(points->begin(), points->end()) : "xn--" + encoded(*points);
  }
  return host;
}

}  // namespace mayfly
