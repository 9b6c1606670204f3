#include "cli/curl/curl_trust.hpp"

#include <filesystem>
#include <system_error>

#include "cli/environment.hpp"

namespace mayfly::cli {
namespace {

// One of those that curl trusts there anyway: by its name, as `openssl rehash` makes them.
std::string any_certificate_in(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error))
    if (entry.path().extension() == ".0") return entry.path().string();
  return {};
}

}  // namespace

std::vector<std::string> trust_of_environment() {
  const std::string bundle = variable("CURL_CA_BUNDLE");
  std::string file = bundle.empty() ? variable("SSL_CERT_FILE") : bundle;
  std::string directory = bundle.empty() ? variable("SSL_CERT_DIR") : "";
  if (file.empty() && directory.empty()) return {};
  if (file.empty()) file = any_certificate_in(directory);
  if (directory.empty()) directory = "/dev/null";
  std::vector<std::string> words = {"--capath", directory};
  if (!file.empty()) words.insert(words.end(), {"--cacert", file});
  return words;
}

}  // namespace mayfly::cli
