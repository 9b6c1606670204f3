// Where a client of Managed OAuth may be sent back to (RFC 8252 section 7.3, RFC 9700 section 2.1).
#include <algorithm>

#include "oauth.hpp"

namespace edge {
namespace {

struct RedirectUri {
  std::string scheme;
  std::string host;  // with the brackets of an IPv6 address
  std::string port;
  std::string rest;  // path and query
};

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Returns nullopt for an address that no server should redirect to.
std::optional<RedirectUri> parse_redirect_uri(const std::string& text) {
  const bool printable = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > ' ' && c < 0x7f && c != '#' && c != '\\' && c != '"' && c != '<' && c != '>';
  });
  const std::size_t colon = text.find("://");
  if (!printable || colon == std::string::npos) return std::nullopt;
  RedirectUri uri;
  uri.scheme = lower(text.substr(0, colon));
  const std::size_t begin = colon + 3;
  const std::size_t end = std::min(text.find_first_of("/?", begin), text.size());
  uri.host = text.substr(begin, end - begin);
  uri.rest = text.substr(end);
  const std::size_t port = uri.host.rfind(':');
  if (port != std::string::npos && uri.host.find(']', port) == std::string::npos) {
    uri.port = uri.host.substr(port + 1);
    uri.host.erase(port);
    if (!is_number(uri.port)) return std::nullopt;
  }
  if (uri.host.empty() || uri.host.find('@') != std::string::npos) return std::nullopt;
  return uri;
}

bool is_loopback_address(const RedirectUri& uri) {
  return uri.scheme == "http" && (uri.host == "127.0.0.1" || uri.host == "[::1]");
}

}  // namespace

bool may_register(const ManagedOauth& oauth, const std::string& redirect_uri) {
  const auto uri = parse_redirect_uri(redirect_uri);
  if (!uri) return false;
  if (oauth.loopback && is_loopback_address(*uri)) return true;
  if (oauth.localhost && uri->scheme == "http" && uri->host == "localhost") return true;
  return std::any_of(oauth.allowed_uris.begin(), oauth.allowed_uris.end(),
                     [&](const std::string& allowed) {
                       if (!allowed.ends_with("/*")) return redirect_uri == allowed;
                       return redirect_uri.starts_with(allowed.substr(0, allowed.size() - 1));
                     });
}

bool same_redirect(const std::string& registered, const std::string& asked) {
  if (registered == asked) return true;
  const auto left = parse_redirect_uri(registered);
  const auto right = parse_redirect_uri(asked);
  return left && right && is_loopback_address(*left) && is_loopback_address(*right) &&
         left->host == right->host && left->rest == right->rest;
}

}  // namespace edge
