#include "access/http1/challenges.hpp"

#include <algorithm>

#include "access/core/text.hpp"
#include "access/http1/head.hpp"

namespace mayfly {
namespace {

// RFC 9110 section 11.2.
bool is_of_token68(char c) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/";
  return allowed.find(c) != std::string_view::npos;
}

bool is_of_token(char c) {
  return is_token({&c, 1});
}

// Walks once over the value.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  // Returns nullopt for a value that does not follow the grammar.
  std::optional<std::vector<Challenge>> read() {
    for (skip(" \t,"); !rest_.empty(); skip(" \t,")) {
      if (!challenges_.empty() && read_parameter()) {
        if (!is_at_end_of_element()) return std::nullopt;
        continue;
      }
      if (!read_scheme()) return std::nullopt;
    }
    return std::move(challenges_);
  }

 private:
  void skip(std::string_view characters) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
  }

  template <typename Allowed>
  std::string_view take(Allowed allowed) {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), allowed);
    const auto taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  bool is_at_end_of_element() {
    skip(" \t");
    return rest_.empty() || rest_.front() == ',';
  }

  bool read_scheme() {
    const std::string_view scheme = take(is_of_token);
    if (scheme.empty()) return false;
    challenges_.push_back({.scheme = std::string(scheme), .parameters = {}});
    if (is_at_end_of_element()) return true;
    if (read_parameter()) return is_at_end_of_element();
    const std::string_view token68 = take(is_of_token68);
    take([](char c) { return c == '='; });
    return !token68.empty() && is_at_end_of_element();
  }

  // Reads "name = value", or leaves the text as it is.
  bool read_parameter() {
    const std::string_view before = rest_;
    std::string name(take(is_of_token));
    skip(" \t");
    if (!name.empty() && rest_.starts_with('=')) {
      rest_.remove_prefix(1);
      skip(" \t");
      auto value = rest_.starts_with('"') ? read_quoted() : read_plain();
      if (value) {
        challenges_.back().parameters.push_back({std::move(name), std::move(*value)});
        return true;
      }
    }
    rest_ = before;
    return false;
  }

  std::optional<std::string> read_plain() {
    const std::string_view value = take(is_of_token);
    if (value.empty()) return std::nullopt;
    return std::string(value);
  }

  // RFC 9110 section 5.6.4.
  std::optional<std::string> read_quoted() {
    std::string value;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return value;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) break;
      value += rest_[i];
    }
    return std::nullopt;
  }

  std::string_view rest_;
  std::vector<Challenge> challenges_;
};

}  // namespace

bool Challenge::is_of(std::string_view name) const {
  return equals_ignoring_case(scheme, name);
}

std::optional<std::string_view> Challenge::parameter(std::string_view name) const {
  std::optional<std::string_view> found;
  for (const Header& one : parameters) {
    if (!equals_ignoring_case(one.name, name)) continue;
    if (found) return std::nullopt;
    found = one.value;
  }
  return found;
}

std::vector<Challenge> parse_challenges(std::string_view value) {
  return Reader(value).read().value_or(std::vector<Challenge>());
}

std::vector<Challenge> challenges_in(const Headers& headers) {
  std::vector<Challenge> all;
  for (const std::string_view value : headers.all("WWW-Authenticate"))
    for (Challenge& one : parse_challenges(value)) all.push_back(std::move(one));
  return all;
}

}  // namespace mayfly
