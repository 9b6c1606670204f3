// The header fields of an HTTP message, in the order in which they came.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly {

struct Header {
  std::string name, value;
  bool operator==(const Header&) const = default;
};

// Returns "Name: value". Throws Error(usage) for a name that is no token (RFC 9110 section 5.6.2)
// and for a value with CR, LF or NUL, which could begin another header.
std::string header_line(const Header& header);

// Returns whether a comma-separated list (RFC 9110 section 5.6.1) holds the token, in any case.
bool lists_token(std::string_view list, std::string_view token);

// Names are compared in any case.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Header> headers) : headers_(headers) {}

  void add(std::string name, std::string value);
  void add(const Headers& more);

  // Returns the value of the first header of that name, or "" if it is absent.
  std::string_view find(std::string_view name) const;
  bool contains(std::string_view name) const;
  // Returns the values of all headers of that name.
  std::vector<std::string_view> all(std::string_view name) const;
  // Returns whether one of the headers of that name lists the token (lists_token()).
  bool lists(std::string_view name, std::string_view token) const;

  bool empty() const noexcept { return headers_.empty(); }
  std::size_t size() const noexcept { return headers_.size(); }
  auto begin() const noexcept { return headers_.begin(); }
  auto end() const noexcept { return headers_.end(); }
  bool operator==(const Headers&) const = default;

 private:
  std::vector<Header> headers_;
};

}  // namespace mayfly
