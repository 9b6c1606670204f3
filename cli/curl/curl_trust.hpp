// The CAs of the environment as options of curl.
#pragma once

#include "cli/curl/curl_arguments.hpp"
#include "cli/curl/curl_guard.hpp"

namespace mayfly::cli {

// Makes curl trust the CAs of CURL_CA_BUNDLE, or else of SSL_CERT_FILE and SSL_CERT_DIR, and no
// others, in each part between two --next that names no CAs. By itself curl also trusts its
// built-in directory beside a file, and its built-in file beside a directory.
void trust_environment_alone(const CurlArguments& curl, GuardedCurl& guarded);

}  // namespace mayfly::cli
