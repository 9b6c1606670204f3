#include <fmt/format.h>

#include "cli/completion/completion_script.hpp"

namespace mayfly::cli {
namespace {

using Source = ValueWords::Source;

// Words before the command are passed over; "--flag=value" arrives as three words, and one dash
// counts as two.
constexpr std::string_view head = R"bash(# bash completion for mayfly

_mayfly_offer() {
  COMPREPLY+=($(compgen "$@" -- "$cur"))
}

_mayfly_hostnames() {
  # "https://host" arrives as three words, of which the last begins with "//".
  local hostnames; hostnames=$("${COMP_WORDS[0]}" completion --hostnames 2>/dev/null)
  if [[ $cur == //* ]]; then
    cur=${cur#//}
    COMPREPLY+=($(compgen -P // -W "$hostnames" -- "$cur"))
  else
    _mayfly_offer -W "$hostnames"
  fi
}

_mayfly() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  local command= flags= value= positional= at
  COMPREPLY=()
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=${COMP_WORDS[COMP_CWORD-2]}
  fi
  [[ $prev == -[!-]?* ]] && prev=-$prev
  for ((at = 1; at < COMP_CWORD; at++)); do
    case ${COMP_WORDS[at]} in
    access|forward|--fedramp|-fedramp) ;;
    *) command=${COMP_WORDS[at]}; break ;;
    esac
  done
  case $command in
)bash";

constexpr std::string_view tail = R"bash(  *)
    return ;;
  esac
  if [[ $cur == -* && -z $value ]]; then
    _mayfly_offer -W "$flags"
    return
  fi
  case ${value:-$positional} in
  hostname) _mayfly_hostnames ;;
  file) compopt -o filenames 2>/dev/null; _mayfly_offer -f ;;
  directory) compopt -o filenames 2>/dev/null; _mayfly_offer -d ;;
  choice:*) value=${value:-$positional}; _mayfly_offer -W "${value#choice:}" ;;
  esac
}

complete -F _mayfly mayfly
)bash";

std::string source_word(const ValueWords& value) {
  switch (value.source) {
    case Source::nothing:
      return "";
    case Source::anything:
      return "anything";
    case Source::hostname:
      return "hostname";
    case Source::file:
      return "file";
    case Source::directory:
      return "directory";
    case Source::choice:
      return fmt::format("choice:{}", fmt::join(value.choices, " "));
  }
  return "";
}

std::string patterns(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, "|"));
}

// bash-completion knows how to complete a command within a command; our own flags are added.
std::string section_of_program(const CommandWords& command, const std::string& flags) {
  return fmt::format(
      "  {})\n"
      "    if declare -F _command_offset >/dev/null; then _command_offset $at\n"
      "    else compopt -o filenames 2>/dev/null; _mayfly_offer -f; fi\n"
      "    [[ $cur == -* ]] && _mayfly_offer -W {}\n"
      "    return ;;\n",
      patterns(command.names), single_quoted(flags));
}

std::string section(const CommandWords& command) {
  std::string flags, values;
  for (const FlagWords& flag : command.flags) {
    for (const std::string& name : flag.names) flags += (flags.empty() ? "" : " ") + name;
    if (flag.value.source == Source::nothing) continue;
    values += fmt::format("    {}) value={} ;;\n", patterns(flag.names),
                          single_quoted(source_word(flag.value)));
  }
  if (command.rest == CommandWords::Rest::of_program) return section_of_program(command, flags);
  std::string text = fmt::format("  {})\n", patterns(command.names));
  text += fmt::format("    flags={}\n", single_quoted(flags));
  text += fmt::format("    positional={}\n", single_quoted(source_word(command.positional)));
  if (!values.empty()) text += fmt::format("    case $prev in\n{}    esac\n", values);
  return text + "    ;;\n";
}

}  // namespace

std::string single_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string bash_completion(const std::vector<CommandWords>& commands) {
  std::string names = "access forward --fedramp --help --version";
  std::string sections;
  for (const CommandWords& command : commands) {
    for (const std::string& name : command.names) names += " " + name;
    sections += section(command);
  }
  const std::string first =
      fmt::format("  '')\n    _mayfly_offer -W {}\n    return ;;\n", single_quoted(names));
  return std::string(head) + first + sections + std::string(tail);
}

}  // namespace mayfly::cli
