// Explains a transfer that failed: name, route, proxy, time, trust, client certificate.
#pragma once

#include "access/core/error.hpp"
#include "access/core/url.hpp"
#include "access/curl/curl_handle.hpp"

namespace mayfly {

// Returns the Error for a failed transfer or connection of the handle: kind network, refused if the
// server did not accept the client certificate, usage if a file of the user's is the cause.
Error network_error(const CurlHandle& handle, CURLcode code, const Url& url);

}  // namespace mayfly
