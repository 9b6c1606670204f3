#include "access/curl/proxy_choice.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdlib>
#include <optional>

#include "access/core/text.hpp"
#include "access/curl/curl_handle.hpp"

namespace mayfly {
namespace {

// Loopback addresses that tell the two ways apart. Nothing ever connects to them.
constexpr const char* as_proxy = "http://127.0.0.2:1";
constexpr const char* as_edge = "::127.0.0.3:1";

curl_socket_t note_and_refuse(void* noted, curlsocktype, curl_sockaddr* address) noexcept {
  if (address->family == AF_INET) {
    const auto* ipv4 = reinterpret_cast<const sockaddr_in*>(&address->addr);
    *static_cast<std::optional<in_addr_t>*>(noted) = ipv4->sin_addr.s_addr;
  }
  return CURL_SOCKET_BAD;
}

// Only the forms that libcurl does not know; "example.com:443" means the hosts below it, too.
bool matches(std::string_view entry, const Url& url) {
  const bool has_star = entry.starts_with("*.");
  if (has_star) entry.remove_prefix(1);
  const auto colon = entry.rfind(':');
  const bool has_port =
      colon != entry.npos && (entry.find(':') == colon || entry[colon - 1] == ']');
  if (!has_star && !has_port) return false;
  if (has_port && entry.substr(colon + 1) != std::to_string(url.port)) return false;
  if (has_port) entry = entry.substr(0, colon);
  if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  if (entry.empty()) return false;
  if (entry.starts_with('.')) return url.host.ends_with(entry) && url.host.size() > entry.size();
  return url.host == entry || url.host.ends_with("." + std::string(entry));
}

}  // namespace

std::string proxy_for_curl(const std::string& proxy) {
  constexpr std::string_view socks = "socks://";
  const bool is_socks =
      equals_ignoring_case(std::string_view(proxy).substr(0, socks.size()), socks);
  return is_socks ? "socks5h://" + proxy.substr(socks.size()) : proxy;
}

ProxyChoice proxy_choice(const ConnectionOptions& options) {
  if (!options.proxy.empty()) return {proxy_for_curl(options.proxy), "--proxy"};
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0')
      return {proxy_for_curl(value), name};
  }
  return {};
}

bool is_exempt_from_proxy(const ConnectionOptions& options, const Url& url) {
  ConnectionOptions asked = options;
  asked.proxy = as_proxy;
  asked.connect_to = {as_edge};
  asked.resolve.clear();
  const CurlHandle handle(asked, url);
  std::optional<in_addr_t> address;
  set_option(handle.get(), CURLOPT_OPENSOCKETFUNCTION, &note_and_refuse);
  set_option(handle.get(), CURLOPT_OPENSOCKETDATA, &address);
  curl_easy_perform(handle.get());
  return address == inet_addr("127.0.0.3");
}

bool is_exempt_by_pattern(const Url& url) {
  const char* list = std::getenv("no_proxy");
  if (list == nullptr || *list == '\0') list = std::getenv("NO_PROXY");
  if (list == nullptr) return false;
  for (const std::string_view part : split(list, ','))
    for (const std::string_view entry : split(part, ' '))
      if (matches(to_lower(entry), url)) return true;
  return false;
}

bool is_socks(std::string_view proxy) {
  const auto scheme = proxy.find("://");
  return scheme != proxy.npos && to_lower(proxy.substr(0, scheme)).starts_with("socks");
}

bool has_user(std::string_view proxy) {
  return proxy.find('@') != std::string_view::npos;
}

bool may_ask_for_kerberos(const ConnectionOptions& options) {
  const std::string proxy = proxy_choice(options).url;
  return !proxy.empty() && !is_socks(proxy) && !has_user(proxy);
}

// The last "@" counts, so a password with a slash is not shown either.
std::string shown_proxy(std::string_view url) {
  const auto scheme = url.find("://");
  const std::string_view prefix = url.substr(0, scheme == std::string_view::npos ? 0 : scheme + 3);
  std::string_view authority = url.substr(prefix.size());
  if (const auto at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  return printable(std::string(prefix).append(authority));
}

}  // namespace mayfly
