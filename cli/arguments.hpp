// Reading a command's arguments: CLI11, told about the forms that cloudflared's users type.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "cli/command.hpp"

namespace mayfly::cli {

struct Usage {
  std::string_view synopsis;  // "login [flags] [URL]"
  std::string_view description;
  std::string_view examples;
};

std::unique_ptr<CLI::App> make_parser(const Usage& usage);

enum class Parsed { run, help_shown };

// Single-dash long flags ("-app X", "-app=X") are taken for the double-dash ones. Throws usage
// Error. With Invocation::show_parser nothing is parsed: the parser is shown, as for a help.
Parsed parse_arguments(CLI::App& parser, const Invocation& invocation);

}  // namespace mayfly::cli
