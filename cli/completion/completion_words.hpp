// The commands and flags as data, for completion scripts.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace CLI {
class Option;
}

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

ValueWords value_words(const CLI::Option& option);

struct FlagWords {
  std::vector<std::string> names;  // "--quiet", "-q"; the first long one first
  std::string description;
  ValueWords value;  // nothing: a flag without value
};

struct CommandWords {
  std::vector<std::string> names;  // the name and its aliases
  std::string summary;
  std::vector<FlagWords> flags;
  ValueWords positional;
  // What follows the flags: the same, or the command line of the program that the command is named
  // after (curl).
  enum class Rest { ours, of_program } rest = Rest::ours;
};

// What the commands' own parsers take; hidden flags are left out.
std::vector<CommandWords> command_words(std::span<const Command> commands);

}  // namespace mayfly::cli
