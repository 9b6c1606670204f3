// The URL of an application in the first line, a Location that its server sends in the second.
#include <arpa/inet.h>

#include <algorithm>

#include "access/answer/login.hpp"
#include "access/core/text.hpp"
#include "access/core/url.hpp"
#include "access/identity/transfer.hpp"
#include "curl_oracle.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

bool is_ipv6(const std::string& host) {
  in6_addr address;
  return ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

void check(const Url& url) {
  const std::string text = url.text();
  require(is_host_name(url.host) || is_ipv6(url.host), "the host is a name or an address");
  require(url.host == to_lower(url.host), "the host is in lower case");
  require(url.path.empty() || url.path.front() == '/', "a path begins with a slash");
  require(std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; }),
          "a URL is printable ASCII");
  const auto again = result_of({}, [&] { return parse_url(text); });
  require(again == url, "what was read can be written and read again");

  const auto curls = read_by_curl(text);
  const std::string host = is_ipv6(url.host) ? "[" + url.host + "]" : url.host;
  require(curls && curls->scheme == "https" && curls->user.empty(), "libcurl takes it for https");
  require(is_ipv6(url.host) || curls->host == host, "libcurl would go to the same host");
  require(curls->port == std::to_string(url.port), "libcurl would go to the same port");
  require(curls->path == (url.path.empty() ? "/" : url.path), "no dot segment is left in the path");
  require(curls->query == url.query, "libcurl would ask the same");
}

void check_login_url(const Url& url) {
  const Application application{"team.cloudflareaccess.com", "audience", "vm.example.com"};
  const std::string text = login_url(url, application, "public key", {});
  const auto login = result_of({}, [&] { return parse_url(text); });
  require(login && login->host == url.host && login->port == url.port, "a login stays at its host");
  require(login->path == "/cdn-cgi/access/cli", "a login has its page");
  require(query_value(login->query, "token") == "public key", "our key is in the URL");
  require(query_value(login->query, "aud") == "audience", "the audience is in the URL");
  require(query_value(login->query, "edge_token_transfer") == "true", "the transfer is asked for");
}

const Harness harness("url", [](std::string_view input) {
  Input lines(input);
  const auto given = lines.line();
  const auto base = result_of({ErrorKind::usage}, [&] { return parse_url(given); });
  if (base) {
    check(*base);
    check_login_url(*base);
  }
  const Url from = base.value_or(Url{"vm.example.com", 443, "/a/b", "c=d"});
  const auto location = lines.line();
  wants_login(from, 302, {{"Location", std::string(location)}}, [] { return "team.example"; });
  // A host name in it may be no host name, which is a usage error elsewhere.
  const auto target =
      result_of({ErrorKind::protocol}, [&] { return resolve_location(from, location); });
  if (!target) return;
  check(*target);
  if (location.find("//") == std::string_view::npos)
    require(target->origin() == from.origin(), "what names no host leads to no other");
});

}  // namespace
}  // namespace mayfly::fuzz
