// The configuration that curl reads by itself.
#pragma once

#include "cli/curl/curl_arguments.hpp"

namespace mayfly::cli {

// Whether there is a file where any curl from 7.88 to 8.21 looks for one (curl(1), "CONFIG FILE"),
// or none can be excluded.
bool has_curl_configuration();

// -q, --disable: curl heeds it as the first argument only.
bool ignores_configuration(const CurlArguments& curl);

}  // namespace mayfly::cli
