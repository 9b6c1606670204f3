// Keeps curl from trusting its built-in CAs beside those that the user names. By itself curl trusts
// its built-in directory beside a file, and its built-in file beside a directory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/curl/curl_arguments.hpp"

namespace mayfly::cli {

struct GuardedCurl;

// Returns the words that replace the built-in directory beside each file of CAs among the options,
// by the position that they are inserted at.
std::map<std::size_t, std::vector<std::string>> without_built_in_directory(
    const std::vector<CurlArguments::Option>& options);

// Makes curl trust the CAs of CURL_CA_BUNDLE, or else of SSL_CERT_FILE and SSL_CERT_DIR, and no
// others, in each part between two --next that names no CAs.
void trust_environment_alone(const CurlArguments& curl, GuardedCurl& guarded);

}  // namespace mayfly::cli
