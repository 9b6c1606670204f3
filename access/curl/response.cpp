#include <curl/curl.h>
#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "access/core/clock.hpp"
#include "access/core/encoding.hpp"
#include "access/core/text.hpp"
#include "access/curl/http.hpp"

namespace mayfly {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

// Longer than any token lives, and small enough to add to any time.
constexpr seconds longest_age = std::chrono::hours(24 * 365 * 10);

constexpr std::size_t longest_ray = 64;

// RFC 6265 section 5.2.2. Returns nullopt if the text is no number.
std::optional<sys_seconds> expiry_of_max_age(std::string_view text, sys_seconds now) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (digits.empty() || digits.find_first_not_of(decimal_digits) != std::string_view::npos)
    return {};
  long long value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (negative || value == 0) {
    if (parsed.ec == std::errc()) return sys_seconds{};
  }
  if (parsed.ec != std::errc()) return now + longest_age;
  return now + std::min(seconds(value), longest_age);
}

std::optional<sys_seconds> time_of_date(std::string_view text) {
  if (text.size() > 64) return {};
  const time_t time = curl_getdate(std::string(text).c_str(), nullptr);
  // RFC 6265 section 5.1.1 knows years of four digits, libcurl any.
  if (time == -1 || sys_seconds(seconds(time)) > last_second) return {};
  return sys_seconds(seconds(time));
}

// Returns the time if the text is what strftime() would write for it in this form.
std::optional<sys_seconds> time_in_form(std::string_view text, const char* form) {
  tm parts{};
  if (::strptime(std::string(text).c_str(), form, &parts) == nullptr) return {};
  const time_t time = ::timegm(&parts);
  std::array<char, 64> written{};
  if (text !=
      std::string_view(written.data(), ::strftime(written.data(), written.size(), form, &parts)))
    return {};
  return sys_seconds(seconds(time));
}

struct Attribute {
  std::string_view name;
  std::string_view value;
};

Attribute attribute_of(std::string_view part) {
  const std::size_t equals = part.find('=');
  if (equals == std::string_view::npos) return {.name = trim(part), .value = {}};
  return {.name = trim(part.substr(0, equals)), .value = trim(part.substr(equals + 1))};
}

// RFC 6265 section 5.2: Max-Age wins over Expires, and the last of each counts.
std::optional<sys_seconds> expiry_of(const std::vector<std::string_view>& parts, sys_seconds now) {
  std::optional<sys_seconds> by_age;
  std::optional<sys_seconds> by_date;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Attribute attribute = attribute_of(parts[i]);
    if (equals_ignoring_case(attribute.name, "max-age")) {
      if (const auto expiry = expiry_of_max_age(attribute.value, now)) by_age = expiry;
    } else if (equals_ignoring_case(attribute.name, "expires")) {
      if (const auto expiry = time_of_date(attribute.value)) by_date = expiry;
    }
  }
  return by_age ? by_age : by_date;
}

// RFC 6265 section 5.1.3. A name without a dot, such as "com", is no domain that a site may set
// cookies for (section 5.3, step 5).
bool matches_domain(const std::string& host, std::string_view attribute) {
  if (attribute.starts_with('.')) attribute.remove_prefix(1);
  const std::string domain = to_lower(attribute);
  if (host == domain) return true;
  if (domain.find('.') == std::string::npos || !host.ends_with("." + domain)) return false;
  return host.find_first_not_of("0123456789.") != std::string::npos;  // an address has no domain
}

// RFC 6265 section 5.1.4.
bool matches_path(std::string_view path, std::string_view attribute) {
  if (path.empty()) path = "/";
  if (!path.starts_with(attribute)) return false;
  return path.size() == attribute.size() || attribute.ends_with('/') ||
         path[attribute.size()] == '/';
}

// RFC 6265 sections 5.2.3 and 5.2.4: of each attribute the last one counts, an empty Domain is
// ignored, and a Path that does not begin with "/" stands for that of the request.
bool would_be_sent_to(const Url& target, const std::vector<std::string_view>& parts) {
  std::string_view domain, path;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Attribute attribute = attribute_of(parts[i]);
    if (equals_ignoring_case(attribute.name, "domain")) {
      if (!attribute.value.empty()) domain = attribute.value;
    } else if (equals_ignoring_case(attribute.name, "path")) {
      path = attribute.value;
    }
  }
  return (domain.empty() || matches_domain(target.host, domain)) &&
         (!path.starts_with('/') || matches_path(target.path, path));
}

}  // namespace

std::optional<sys_seconds> Response::date() const {
  const std::string_view text = headers.find("Date");
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"})
    if (const auto time = time_in_form(text, form)) return time;
  return std::nullopt;
}

std::string Response::ray() const {
  return printable(headers.find("cf-ray"), longest_ray);
}

std::string Response::reference() const {
  const std::string name = ray();
  return fmt::format("HTTP {}{}{}", status, name.empty() ? "" : ", cf-ray ", name);
}

std::optional<Response::Cookie> Response::cookie(std::string_view name, const Url& target,
                                                 sys_seconds now) const {
  std::optional<Cookie> found;
  for (const std::string_view set_cookie : headers.all("Set-Cookie")) {
    const auto parts = split(set_cookie, ';');
    const Attribute pair = attribute_of(parts.front());
    if (pair.name != name || parts.front().find('=') == std::string_view::npos) continue;
    if (!would_be_sent_to(target, parts)) continue;
    found = Cookie{.value = std::string(pair.value), .expires = expiry_of(parts, now)};
  }
  return found;
}

}  // namespace mayfly
