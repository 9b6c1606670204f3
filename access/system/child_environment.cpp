#include "access/system/child_environment.hpp"

#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "access/core/secret.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

struct Variable {
  std::string_view name, value;
};

Variable split_variable(std::string_view text) {
  const auto equals = std::min(text.find('='), text.size());
  return {text.substr(0, equals), text.substr(std::min(equals + 1, text.size()))};
}

bool is_service_token(std::string_view name) {
  return is_among(name, {"TUNNEL_SERVICE_TOKEN_ID", "TUNNEL_SERVICE_TOKEN_SECRET"});
}

// RFC 7512 section 2.3: in a pkcs11: URI.
bool holds_pin(std::string_view value) {
  return to_lower(value).find("pin-value=") != std::string::npos;
}

bool is_proxy_with_password(std::string_view name, std::string_view value) {
  return to_lower(name).ends_with("_proxy") && !to_lower(name).ends_with("no_proxy") &&
         value.find('@') != std::string_view::npos;
}

// Up to the last "@", since a password may hold one.
std::string without_user(std::string_view url) {
  const auto scheme = url.find("://");
  const std::string_view prefix = url.substr(0, scheme == std::string_view::npos ? 0 : scheme + 3);
  return std::string(prefix).append(url.substr(url.rfind('@') + 1));
}

}  // namespace

ChildEnvironment::ChildEnvironment(const Changes& changes, ProxyPasswords passwords) {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const auto [name, value] = split_variable(*entry);
    const bool is_changed =
        std::any_of(changes.begin(), changes.end(),
                    [changed = name](const auto& change) { return change.first == changed; });
    if (is_changed || is_service_token(name) || name == "SSLKEYLOGFILE" || holds_pin(value))
      continue;
    if (passwords == ProxyPasswords::removed && is_proxy_with_password(name, value))
      texts_.push_back(std::string(name).append("=").append(without_user(value)));
    else
      texts_.emplace_back(*entry);
  }
  for (const auto& [name, value] : changes) texts_.emplace_back(name).append("=").append(value);
  for (std::string& text : texts_) pointers_.push_back(text.data());
  pointers_.push_back(nullptr);
}

bool is_secret_variable(std::string_view name, std::string_view value) {
  return name == "TUNNEL_SERVICE_TOKEN_SECRET" || holds_pin(value) ||
         is_proxy_with_password(name, value);
}

void hide_secret_variables() noexcept {
  std::vector<char*> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) entries.push_back(*entry);
  for (char* entry : entries) {
    const auto [name, value] = split_variable(entry);
    if (!is_secret_variable(name, value)) continue;
    std::string moved(value);
    const bool is_moved = ::setenv(std::string(name).c_str(), moved.c_str(), 1) == 0;
    wipe(moved);
    if (is_moved) wipe(entry + name.size() + 1, value.size());
  }
  ::unsetenv("SSLKEYLOGFILE");
}

}  // namespace mayfly
