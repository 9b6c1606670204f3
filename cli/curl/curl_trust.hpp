// Whom curl trusts when the environment names CAs.
#pragma once

#include <string>
#include <vector>

namespace mayfly::cli {

// Returns options that make curl trust what CURL_CA_BUNDLE, or else SSL_CERT_FILE and SSL_CERT_DIR,
// name and nothing else: by itself it goes on trusting the directory that it was built with beside
// a file, and its own file beside a directory. Empty when none is set.
std::vector<std::string> trust_of_environment();

}  // namespace mayfly::cli
