// The commands and flags as data, for completion scripts.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace mayfly::cli {

// What can stand somewhere, and where it can be found.
struct ValueWords {
  enum class Source {
    nothing,
    anything,
    hostname,
    file,
    directory,
    choice
  } source = Source::nothing;
  std::vector<std::string> choices = {};
};

struct FlagWords {
  std::vector<std::string> names;  // "--quiet", "-q"; the first long one first
  std::string description;
  ValueWords value;  // nothing: a flag without value
};

struct CommandWords {
  std::vector<std::string> names;  // the name and its aliases
  std::string summary;
  std::vector<FlagWords> flags;  // empty: the command reads its arguments itself
  ValueWords positional;
};

// What the commands' own parsers take; hidden flags are left out.
std::vector<CommandWords> command_words(std::span<const Command> commands);

}  // namespace mayfly::cli
