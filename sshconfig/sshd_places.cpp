#include "sshconfig/sshd_places.hpp"

#include <fmt/format.h>
#include <glob.h>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "sshconfig/changes.hpp"

namespace mayfly::sshconfig {
namespace {

using Scope = SettingPlace::Scope;

class Glob {
 public:
  explicit Glob(const std::string& pattern) {
    if (::glob(pattern.c_str(), 0, nullptr, &found_) != 0) found_.gl_pathc = 0;
  }
  Glob(const Glob&) = delete;
  Glob& operator=(const Glob&) = delete;
  ~Glob() { ::globfree(&found_); }

  std::vector<std::string> paths() const {
    return {found_.gl_pathv, found_.gl_pathv + found_.gl_pathc};
  }

 private:
  glob_t found_{};
};

std::string readable_text(const std::string& path) {
  try {
    return content_of(read_existing(path));
  } catch (const Error&) {
    return "";
  }
}

void add_places(std::vector<SettingPlace>& places, const SshdFiles& files, const std::string& path,
                std::string_view keyword) {
  Scope scope = Scope::global;
  for (const SshdLine& line : sshd_config_lines(readable_text(path))) {
    if (line.keyword == "match") scope = Scope::match;
    if (!equals_ignoring_case(line.keyword, keyword) || line.words.empty()) continue;
    const std::string& value = line.words.front();
    if (value != files.ca && !value.starts_with(files.principals_directory + "/"))
      places.push_back({path, line.number, scope, value});
  }
}

std::string shown(const SettingPlace& place) {
  return fmt::format("{}:{}", printable(place.path, 4096), place.line);
}

std::string advice(std::string_view keyword, const std::string& value) {
  const std::string shown_value = printable(value, 300);
  if (equals_ignoring_case(keyword, "TrustedUserCAKeys"))
    return fmt::format("add the key to {} yourself, or remove that line", shown_value);
  if (equals_ignoring_case(keyword, "AuthorizedPrincipalsFile"))
    return fmt::format("add the principals to {} yourself, or remove that line", shown_value);
  return "change that line";
}

}  // namespace

std::vector<SettingPlace> setting_places(const SshdFiles& files, std::string_view keyword) {
  std::vector<SettingPlace> places;
  add_places(places, files, files.config, keyword);
  for (const std::string& pattern : included_patterns(readable_text(files.config))) {
    const Glob glob(pattern);
    for (const std::string& path : glob.paths()) add_places(places, files, path, keyword);
  }
  return places;
}

std::string setting_hint(const SshdFiles& files, std::string_view keyword,
                         const std::string& value) {
  std::string where;
  for (const SettingPlace& place : setting_places(files, keyword))
    if (place.value == value) where += (where.empty() ? "" : ", ") + shown(place);
  return (where.empty() ? "" : where + " sets it: ") + advice(keyword, value);
}

std::vector<std::string> setting_warnings(const SshdFiles& files) {
  std::vector<std::string> warnings;
  for (const std::string_view keyword : {"TrustedUserCAKeys", "PubkeyAuthentication"})
    for (const SettingPlace& place : setting_places(files, keyword))
      if (place.scope == Scope::match && place.value != "yes")
        warnings.push_back(fmt::format("{} sets {} {} for those whom its Match names", shown(place),
                                       keyword, printable(place.value, 300)));
  for (const std::string_view keyword : {"AuthorizedPrincipalsFile", "AuthorizedPrincipalsCommand"})
    for (const SettingPlace& place : setting_places(files, keyword))
      if (place.value != "none")
        warnings.push_back(
            fmt::format("{} sets {} {}: for these users, principals are taken from there",
                        shown(place), keyword, printable(place.value, 300)));
  return warnings;
}

}  // namespace mayfly::sshconfig
