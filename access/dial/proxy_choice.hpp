// Which proxy a connection goes through, and who named it.
#pragma once

#include <string>
#include <string_view>

#include "access/core/url.hpp"
#include "access/tls/connection_options.hpp"

namespace mayfly {

// The proxy for https by the options or the environment, as libcurl reads it. NO_PROXY is another
// question: see is_exempt_from_proxy().
struct ProxyChoice {
  std::string url;       // "" for none
  std::string named_by;  // "--proxy", or the variable
};
ProxyChoice proxy_choice(const ConnectionOptions& options);

// Whether NO_PROXY keeps connections to this host from the proxy, by libcurl's own reading of it:
// it is asked where it would connect to, and stopped before it does. Throws Error(failed) without
// libcurl.
bool is_exempt_from_proxy(const ConnectionOptions& options, const Url& url);

// The proxy's URL fit to be shown: without user name and password.
std::string shown_proxy(std::string_view url);

}  // namespace mayfly
