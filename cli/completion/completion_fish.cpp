#include <fmt/format.h>

#include "cli/completion/completion_script.hpp"

namespace mayfly::cli {
namespace {

using Source = ValueWords::Source;

constexpr std::string_view head = R"fish(# fish completion for mayfly

# The command of the line, after the words that may stand before it; nothing when there is none yet.
function __mayfly_command
    for word in (commandline -opc)[2..]
        if not contains -- $word access forward --fedramp -fedramp
            echo $word
            return
        end
    end
end

function __mayfly_needs_command
    test -z (__mayfly_command)
end

function __mayfly_is
    contains -- (__mayfly_command) $argv
end

function __mayfly_hostnames
    set -l program (commandline -opc)[1]
    set -l hostnames ($program completion --hostnames 2>/dev/null)
    printf '%s\n' $hostnames
    if string match -q -- '*://*' (commandline -ct)
        printf 'https://%s\n' $hostnames
    end
end

complete -c mayfly -f
)fish";

// Only the quote and the backslash mean something in fish's single quotes.
std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

// -x: a value and no files; -r -F: a value, which is a file.
std::string value_flags(const ValueWords& value) {
  switch (value.source) {
    case Source::nothing:
      return "";
    case Source::anything:
      return " -x";
    case Source::hostname:
      return " -x -a '(__mayfly_hostnames)'";
    case Source::file:
      return " -r -F";
    case Source::directory:
      return " -x -a '(__fish_complete_directories)'";
    case Source::choice:
      return " -x -a " + quoted(fmt::format("{}", fmt::join(value.choices, " ")));
  }
  return "";
}

std::string section(const CommandWords& command) {
  const std::string is_command =
      fmt::format("complete -c mayfly -n '__mayfly_is {}'", fmt::join(command.names, " "));
  std::string text;
  if (command.rest == CommandWords::Rest::of_program) {
    text += is_command + " -a '(__fish_complete_subcommand --commandline " + command.names.front() +
            ")' -F\n";
  }
  for (const FlagWords& flag : command.flags) {
    text += is_command;
    for (const std::string& name : flag.names)
      text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    text += value_flags(flag.value) + " -d " + quoted(flag.description) + "\n";
  }
  const bool is_offered =
      command.positional.source == Source::hostname || command.positional.source == Source::choice;
  if (is_offered) text += is_command + value_flags(command.positional).substr(3) + "\n";
  return text;
}

}  // namespace

std::string fish_completion(const std::vector<CommandWords>& commands) {
  std::string text(head);
  for (const CommandWords& command : commands) {
    text += fmt::format("complete -c mayfly -n __mayfly_needs_command -a {} -d {}\n",
                        quoted(fmt::format("{}", fmt::join(command.names, " "))),
                        quoted(command.summary));
  }
  text += "complete -c mayfly -n __mayfly_needs_command -a access -d 'the commands of Access'\n";
  text += "complete -c mayfly -n __mayfly_needs_command -l fedramp -d 'use the FedRAMP cloud'\n";
  for (const CommandWords& command : commands) text += section(command);
  return text;
}

}  // namespace mayfly::cli
