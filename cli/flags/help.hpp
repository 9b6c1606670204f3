// What --help prints: usage, purpose, flags and examples, in lines that fit a terminal.
#pragma once

#include <string>

#include "cli/flags/arguments.hpp"

namespace mayfly::cli {

// own: the command's flags are explained, those it shares with others only named, so that all fits
// a screen. all: those are explained as well.
enum class HelpExtent { own, all };

std::string help_text(const CLI::App& parser, const Usage& usage, HelpExtent extent);

}  // namespace mayfly::cli
