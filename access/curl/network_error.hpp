// Why no answer came, in words a person can act on: name, route, proxy, time, trust, client
// certificate.
#pragma once

#include "access/core/error.hpp"
#include "access/core/url.hpp"
#include "access/curl/curl_handle.hpp"

namespace mayfly {

// The Error that a failed transfer or connection of that handle amounts to: kind network, or
// refused when the server did not accept the client certificate, or usage when a file given by the
// user is the cause.
Error network_error(const CurlHandle& handle, CURLcode code, const Url& url);

}  // namespace mayfly
