// The table of mayfly's commands.
#pragma once

#include <span>
#include <string_view>

#include "cli/flags/command.hpp"

namespace mayfly::cli {

std::span<const Command> all_commands();
// Returns the command of that name or alias, or nullptr.
const Command* find_command(std::string_view name);

// Returns the command's parser, bound to flags of its own: for what shows a command.
Parser parser_of(const Command& command);
// Parses the arguments and runs the command, or prints its help. Returns the exit code.
int run_command(const Command& command, const Invocation& invocation);

}  // namespace mayfly::cli
