#include "access/tls/pkcs11_uri.hpp"

#include <algorithm>

#include "access/core/encoding.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

std::string_view before_query(std::string_view uri) {
  return uri.substr(0, uri.find('?'));
}

// Returns the attributes of the query. OpenSSL's engine accepts ";" between them, too, which is not
// allowed in a value (RFC 7512 section 2.3).
std::vector<std::string_view> query_of(std::string_view uri) {
  std::vector<std::string_view> attributes;
  const std::size_t question = uri.find('?');
  if (question == std::string_view::npos) return attributes;
  for (const std::string_view part : split(uri.substr(question + 1), query_attribute_separator))
    for (const std::string_view attribute : split(part, ';')) attributes.push_back(attribute);
  return attributes;
}

constexpr std::string_view pin_value = "pin-value=";

struct Path {
  std::string without_pin;
  std::string_view pin;  // percent-encoded
};

// Reads the part before the query. A PIN belongs into the query, but OpenSSL's engine accepts it
// before the query, too.
Path path_of(std::string_view uri) {
  const std::string_view path = before_query(uri);
  const std::size_t colon = std::min(path.find(':'), path.size() - 1) + 1;
  Path read{std::string(path.substr(0, colon)), {}};
  for (const std::string_view attribute : split(path.substr(colon), ';')) {
    if (attribute.starts_with(pin_value)) {
      read.pin = attribute.substr(pin_value.size());
      continue;
    }
    if (read.without_pin.size() > colon) read.without_pin += ';';
    read.without_pin += attribute;
  }
  return read;
}

std::string query_value(std::string_view uri, std::string_view name) {
  for (const std::string_view part : query_of(uri))
    if (part.starts_with(name)) return percent_decode(part.substr(name.size()));
  return {};
}

template <typename Predicate>
std::string with_query(std::string_view uri, Predicate is_kept) {
  std::string kept(before_query(uri));
  char before = '?';
  for (const std::string_view part : query_of(uri)) {
    if (!is_kept(part)) continue;
    kept += before;
    kept += part;
    before = query_attribute_separator;
  }
  return kept;
}

}  // namespace

bool is_pkcs11_uri(std::string_view text) {
  return equals_ignoring_case(text.substr(0, 7), "pkcs11:");
}

std::string shown_uri(std::string_view uri) {
  return printable(path_of(uri).without_pin);
}

std::string module_of(std::string_view uri) {
  return query_value(uri, "module-path=");
}

std::string pin_of(std::string_view uri) {
  const std::string pin = query_value(uri, pin_value);
  return pin.empty() ? percent_decode(path_of(uri).pin) : pin;
}

std::string pin_file_of(std::string_view uri) {
  std::string path = query_value(uri, "pin-source=");
  for (const std::string_view attribute : split(before_query(uri), ';'))
    if (path.empty() && attribute.starts_with("pin-source="))
      path = percent_decode(attribute.substr(attribute.find('=') + 1));
  for (const std::string_view prefix : {"file:", "//localhost", "//"})
    if (path.starts_with(prefix)) path.erase(0, prefix.size());
  return path.starts_with('|') ? "" : path;  // a program
}

std::string without_module(std::string_view uri) {
  return with_query(uri, [](std::string_view attribute) {
    return attribute.starts_with(pin_value) || attribute.starts_with("pin-source=");
  });
}

std::string without_pin(std::string_view uri) {
  const std::string without = path_of(uri).without_pin.append(uri.substr(before_query(uri).size()));
  return with_query(without,
                    [](std::string_view attribute) { return !attribute.starts_with(pin_value); });
}

}  // namespace mayfly
