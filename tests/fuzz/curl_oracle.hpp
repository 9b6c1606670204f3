// How libcurl, which makes the requests, reads a URL.
#pragma once

#include <optional>
#include <string>

namespace mayfly::fuzz {

struct CurlReading {
  std::string scheme, host, port, path, query, user;  // an IPv6 host in its brackets
};

// Nothing when it takes it for no URL.
std::optional<CurlReading> read_by_curl(const std::string& url);

}  // namespace mayfly::fuzz
