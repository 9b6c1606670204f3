#include "cli/curl/curl_trust.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "cli/curl/curl_guard.hpp"
#include "cli/terminal/environment.hpp"

namespace mayfly::cli {
namespace {

constexpr const char* no_directory = "/dev/null";

struct Trust {
  std::string_view file, directory;  // options of curl
};
constexpr Trust trusts[] = {{"cacert", "capath"}, {"proxy-cacert", "proxy-capath"}};

// One of those that curl trusts there anyway: by its name, as `openssl rehash` makes them.
std::string any_certificate_in(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error))
    if (entry.path().extension() == ".0") return entry.path().string();
  return {};
}

std::vector<std::string> trust_of_environment() {
  const std::string bundle = variable("CURL_CA_BUNDLE");
  std::string file = bundle.empty() ? variable("SSL_CERT_FILE") : bundle;
  std::string directory = bundle.empty() ? variable("SSL_CERT_DIR") : "";
  if (file.empty() && directory.empty()) return {};
  if (file.empty()) file = any_certificate_in(directory);
  if (directory.empty()) directory = no_directory;
  std::vector<std::string> words = {"--capath", directory};
  if (!file.empty()) words.insert(words.end(), {"--cacert", file});
  return words;
}

}  // namespace

std::map<std::size_t, std::vector<std::string>> without_built_in_directory(
    const std::vector<CurlArguments::Option>& options) {
  std::map<std::size_t, std::vector<std::string>> words;
  for (const Trust& trust : trusts) {
    const auto is_directory = [&](const auto& option) { return option.name == trust.directory; };
    if (std::any_of(options.begin(), options.end(), is_directory)) continue;
    for (const CurlArguments::Option& option : options)
      if (option.name == trust.file && !option.value.empty())
        words[option.word + 1] = {"--" + std::string(trust.directory), no_directory};
  }
  return words;
}

void trust_environment_alone(const CurlArguments& curl, GuardedCurl& guarded) {
  const std::vector<std::string> words = trust_of_environment();
  for (const CurlArguments::Part& part : curl.parts) {
    const auto is_here = [&](std::size_t place) {
      return place == part.front || (part.front < place && place < part.back);
    };
    if (std::any_of(guarded.trust_named_at.begin(), guarded.trust_named_at.end(), is_here))
      continue;
    std::vector<std::string>& before = guarded.inserted[part.front];
    before.insert(before.end(), words.begin(), words.end());
  }
}

}  // namespace mayfly::cli
