// Whom curl trusts when the environment names CAs.
#pragma once

#include "cli/curl/curl_arguments.hpp"
#include "cli/curl/curl_guard.hpp"

namespace mayfly::cli {

// Makes curl trust what CURL_CA_BUNDLE, or else SSL_CERT_FILE and SSL_CERT_DIR, name and nothing
// else, in each part between two --next that names no CAs: by itself it goes on trusting the
// directory that it was built with beside a file, and its own file beside a directory.
void trust_environment_alone(const CurlArguments& curl, GuardedCurl& guarded);

}  // namespace mayfly::cli
