// Finds the lines of an administrator in sshd_config and in the files that it includes, to name
// them in messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sshconfig/sshd_lines.hpp"

namespace mayfly::sshconfig {

struct SettingPlace {
  std::string path;
  std::size_t line = 0;
  enum class Scope { global, match } scope = Scope::global;
  std::string value;  // the first word behind the keyword
};
// Returns the lines that set the keyword, without those of mayfly. Does not follow an Include in an
// included file. Leaves out what cannot be read.
std::vector<SettingPlace> setting_places(const SshdFiles& files, std::string_view keyword);

// Returns what to do about a value that keeps the lines of mayfly from their effect, with the line
// that sets it if that is found.
std::string setting_hint(const SshdFiles& files, std::string_view keyword,
                         const std::string& value);
// Returns a sentence for each setting that limits the effect of the lines of mayfly.
std::vector<std::string> setting_warnings(const SshdFiles& files);

}  // namespace mayfly::sshconfig
