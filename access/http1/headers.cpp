#include "access/http1/headers.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/http1/head.hpp"

namespace mayfly {
namespace {

auto named(std::string_view name) {
  return [name](const Header& header) { return equals_ignoring_case(header.name, name); };
}

}  // namespace

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

bool lists_token(std::string_view list, std::string_view token) {
  return std::ranges::any_of(split(list, ','), [&](std::string_view part) {
    return equals_ignoring_case(trim(part), token);
  });
}

void Headers::add(std::string name, std::string value) {
  headers_.push_back({std::move(name), std::move(value)});
}

void Headers::add(const Headers& more) {
  headers_.insert(headers_.end(), more.begin(), more.end());
}

std::string_view Headers::find(std::string_view name) const {
  const auto found = std::ranges::find_if(headers_, named(name));
  return found == headers_.end() ? std::string_view() : found->value;
}

bool Headers::contains(std::string_view name) const {
  return std::ranges::any_of(headers_, named(name));
}

std::vector<std::string_view> Headers::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Header& header : headers_)
    if (equals_ignoring_case(header.name, name)) values.push_back(header.value);
  return values;
}

bool Headers::lists(std::string_view name, std::string_view token) const {
  return std::ranges::any_of(all(name),
                             [&](std::string_view value) { return lists_token(value, token); });
}

}  // namespace mayfly
