#include "cli/curl/curl_configuration.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "cli/environment.hpp"

namespace mayfly::cli {
namespace {

std::vector<std::string> directories() {
  std::vector<std::string> all;
  for (const char* name : {"CURL_HOME", "XDG_CONFIG_HOME", "HOME"}) {
    const std::string directory = variable(name);
    if (!directory.empty()) all.insert(all.end(), {directory, directory + "/.config"});
  }
  // Also when HOME names another one.
  const passwd* account = ::getpwuid(::geteuid());
  if (account && account->pw_dir) all.emplace_back(account->pw_dir);
  return all;
}

bool may_be_there(const std::string& path) {
  std::error_code reason;
  const auto type = std::filesystem::status(path, reason).type();
  return type != std::filesystem::file_type::not_found;
}

}  // namespace

bool has_curl_configuration() {
  const std::vector<std::string> all = directories();
  return std::any_of(all.begin(), all.end(), [](const std::string& directory) {
    return may_be_there(directory + "/.curlrc") || may_be_there(directory + "/curlrc");
  });
}

bool ignores_configuration(const CurlArguments& curl) {
  if (curl.arguments.empty()) return false;
  const std::string& first = curl.arguments.front();
  return first.starts_with("-q") || first == "--disable";
}

}  // namespace mayfly::cli
