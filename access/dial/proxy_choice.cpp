#include "access/dial/proxy_choice.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdlib>
#include <optional>

#include "access/core/text.hpp"
#include "access/curl/curl_handle.hpp"

namespace mayfly {
namespace {

// Addresses of this machine alone, at which nothing is ever asked for: they only tell the two ways
// apart.
constexpr const char* as_proxy = "http://127.0.0.2:1";
constexpr const char* as_edge = "::127.0.0.3:1";

curl_socket_t note_and_refuse(void* noted, curlsocktype, curl_sockaddr* address) noexcept {
  if (address->family == AF_INET) {
    const auto* ipv4 = reinterpret_cast<const sockaddr_in*>(&address->addr);
    *static_cast<std::optional<in_addr_t>*>(noted) = ipv4->sin_addr.s_addr;
  }
  return CURL_SOCKET_BAD;
}

}  // namespace

ProxyChoice proxy_choice(const ConnectionOptions& options) {
  if (!options.proxy.empty()) return {options.proxy, "--proxy"};
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0')
      return {value, name};
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

// A password with a slash in it is not let out either: the last "@" counts.
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
