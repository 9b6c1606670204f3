// Host names, team domains, and the names of files that are made of them.
#include <algorithm>

#include "access/core/text.hpp"
#include "access/core/url.hpp"
#include "access/identity/application.hpp"
#include "access/system/files.hpp"
#include "curl_oracle.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

bool is_plain(std::string_view host) {
  return host.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
             "0123456789-_.") == std::string_view::npos;
}

void check_host_name(std::string_view host) {
  require(!host.empty() && host.size() <= 253 && is_plain(host), "a host name is plain");
  require(host.find("..") == std::string_view::npos, "no label is empty");
  const auto url = result_of({}, [&] { return parse_url(host); });
  require(url->host == to_lower(host) && url->path.empty(), "a host name is a URL of its own");
}

void check_auth_domain(std::string_view claim, const std::string& host) {
  require(host.ends_with(".cloudflareaccess.com"), "a team domain is Cloudflare's");
  require(is_host_name(host) && host == to_lower(host), "a team domain is a lower-case host name");
  const auto curls = read_by_curl("https://" + std::string(claim));
  if (curls) require(to_lower(curls->host) == host, "libcurl would go to the same team");
}

void check_file_name(std::string_view name) {
  require(!name.empty() && name.size() <= 255, "a file name is bounded");
  require(name.front() != '.' && name.find('/') == std::string_view::npos, "a file name stays");
  require(std::none_of(name.begin(), name.end(),
                       [](char c) { return c == 0x7f || static_cast<unsigned char>(c) < 0x20; }),
          "a file name holds no control character");
}

const Harness harness("host", [](std::string_view input) {
  if (is_host_name(input)) check_host_name(input);
  if (const auto host = auth_domain_host(input)) check_auth_domain(input, *host);
  if (const auto name = result_of({ErrorKind::usage}, [&] { return file_name(input); }))
    check_file_name(*name);
});

}  // namespace
}  // namespace mayfly::fuzz
