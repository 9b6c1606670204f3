#include "cli/terminal/environment.hpp"

#include <fmt/core.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "access/core/encoding.hpp"
#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/secret.hpp"
#include "access/core/text.hpp"
#include "access/system/platform.hpp"

namespace mayfly::cli {
namespace {

namespace fs = std::filesystem;

std::string& program_name() {
  static std::string name;
  return name;
}

bool is_this_program(const fs::path& candidate) {
  std::error_code ignored;
  return fs::equivalent(candidate, own_executable(), ignored);
}

// Each field may be empty, and the last may be absent; an IPv6 address is in brackets.
bool is_connect_to(std::string_view entry) {
  const auto fields = colon_fields(entry);
  if (fields.size() < 3 || fields.size() > 4) return false;
  for (std::size_t i = 1; i < fields.size(); i += 2)
    if (fields[i].find_first_not_of(decimal_digits) != std::string_view::npos) return false;
  return true;
}

}  // namespace

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

void forget_variable(const char* name) noexcept {
  if (char* value = std::getenv(name)) wipe(value, std::strlen(value));
  ::unsetenv(name);
}

std::string home_directory() {
  if (std::string home = variable("HOME"); !home.empty()) return home;
  std::string home = home_of_account();
  if (home.empty()) {
    throw Error(ErrorKind::failed, "cannot tell the home directory: HOME is not set",
                "set HOME, or name the state directory in MAYFLY_HOME");
  }
  return home;
}

std::string home_of_account() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry && entry->pw_dir ? entry->pw_dir : "";
}

std::string state_directory_path() {
  if (const std::string path = variable("MAYFLY_HOME"); !path.empty()) return absolute_path(path);
  return home_directory() + "/.cloudflared";
}

std::string absolute_path(const std::string& path) {
  return fs::absolute(path).lexically_normal().string();
}

std::vector<std::string> connect_to_from_environment() {
  const std::string text = variable("MAYFLY_CONNECT_TO");
  std::vector<std::string> entries;
  for (const std::string_view entry : split(text, ',')) {
    if (trim(entry).empty()) continue;
    if (!is_connect_to(trim(entry))) {
      throw Error(
          ErrorKind::usage,
          fmt::format("MAYFLY_CONNECT_TO: \"{}\" is not HOST:PORT:HOST2:PORT2", printable(entry)),
          "set it to entries such as vm.example.com:443:127.0.0.1:8443, with commas between "
          "them, or unset it");
    }
    entries.emplace_back(trim(entry));
  }
  return entries;
}

void set_program_name(std::string argv0) {
  program_name() = std::move(argv0);
}

std::string as_called(std::string text) {
  if (fs::path(program_name()).filename() != "cloudflared") return text;
  constexpr std::string_view own = "mayfly ", manual = "man ";
  for (auto at = text.find(own); at != std::string::npos; at = text.find(own, at + 1)) {
    const bool is_page = std::string_view(text).substr(0, at).ends_with(manual);
    if (!is_page) text.replace(at, own.size(), "cloudflared ");
  }
  return text;
}

std::string other_program(const std::string& name) {
  const std::string search = variable("PATH") + ":/usr/local/bin:/usr/bin";
  for (const std::string_view folder : split(search, ':')) {
    const fs::path path = fs::path(folder) / name;
    if (path.is_absolute() && !is_this_program(path) && ::access(path.c_str(), X_OK) == 0 &&
        !fs::is_directory(path))
      return path.string();
  }
  return {};
}

std::string program_path() {
  const std::string& name = program_name();
  if (name.find('/') != std::string::npos) {
    if (const fs::path path = absolute_path(name); is_this_program(path)) return path.string();
  } else {
    const std::string search = variable("PATH");
    for (const std::string_view folder : split(search, ':')) {
      const fs::path path = fs::absolute(fs::path(folder) / name);
      if (is_this_program(path)) return path.string();
    }
  }
  const std::string path = own_executable();
  return path.empty() ? name : path;
}

}  // namespace mayfly::cli
