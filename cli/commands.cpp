#include "cli/commands.hpp"

#include <algorithm>

#include "access/core/text.hpp"

namespace mayfly::cli {

// Each is in the file of its name.
Command login_command();
Command token_command();
Command curl_command();
Command tunnel_command();
Command socks_command();
Command http_command();
Command connect_command();
Command ssh_config_command();
Command ssh_gen_command();
Command sshd_config_command();
Command status_command();
Command logout_command();
Command doctor_command();
Command completion_command();

std::span<const Command> all_commands() {
  static const Command commands[] = {
      login_command(),   token_command(),       curl_command(),    tunnel_command(),
      socks_command(),   http_command(),        connect_command(), ssh_config_command(),
      ssh_gen_command(), sshd_config_command(), status_command(),  logout_command(),
      doctor_command(),  completion_command(),
  };
  return commands;
}

const Command* find_command(std::string_view name) {
  for (const Command& command : all_commands()) {
    if (command.name == name || std::ranges::find(command.aliases, name) != command.aliases.end())
      return &command;
  }
  return nullptr;
}

Parser parser_of(const Command& command) {
  Parser parser(command.usage);
  // The parser refers to flags that are gone, and is not to parse.
  command.bind(parser);
  return parser;
}

int run_command(const Command& command, const Invocation& invocation) {
  Parser parser(command.usage);
  const Command::Run run = command.bind(parser);
  const bool asks_for_help =
      !invocation.arguments.empty() &&
      is_among(invocation.arguments.back(), {"--help", "--help-all"}) &&
      std::all_of(invocation.arguments.begin(), invocation.arguments.end() - 1,
                  [](const auto& word) { return word == "--fedramp"; });
  const bool is_parsed = !parser.leaves_arguments() || asks_for_help;
  if (is_parsed && parse_arguments(parser, invocation) == Parsed::help_shown) return 0;
  return run(invocation);
}

}  // namespace mayfly::cli
