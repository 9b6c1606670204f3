#include <fmt/format.h>

#include "cli/completion/completion_script.hpp"

namespace mayfly::cli {
namespace {

using Source = ValueWords::Source;

constexpr std::string_view hostnames = R"zsh(#compdef mayfly
# zsh completion for mayfly

_mayfly_hostnames() {
  local -a hostnames
  hostnames=(${(f)"$($_mayfly_program completion --hostnames 2>/dev/null)"})
  compset -P '*://'
  compadd -a hostnames
}

)zsh";

// Words before the command are passed over; then it is the first word.
constexpr std::string_view dispatch = R"zsh(
  local _mayfly_program=$words[1]
  local -i at=2
  while (( at < CURRENT )) && [[ $words[at] == (access|forward|--fedramp|-fedramp) ]]; do
    (( at++ ))
  done
  if (( at == CURRENT )); then
    _describe -t commands command commands
    return
  fi
  words=("${(@)words[at,-1]}")
  (( CURRENT -= at - 1 ))
  case $words[1] in
)zsh";

// Run by the shell's loader the file is the function's body; sourced, it registers itself.
constexpr std::string_view tail = R"zsh(  esac
}

if [[ $funcstack[1] == _mayfly ]]; then
  _mayfly "$@"
else
  compdef _mayfly mayfly
fi
)zsh";

// In a specification of _arguments, ":" ends a field and "]" a description.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

// ":message:action", "" for nothing.
std::string action(const ValueWords& value) {
  switch (value.source) {
    case Source::nothing:
      return "";
    case Source::anything:
      return ":value: ";
    case Source::hostname:
      return ":application:_mayfly_hostnames";
    case Source::file:
      return ":file:_files";
    case Source::directory:
      return ":directory:_files -/";
    case Source::choice:
      return fmt::format(":value:({})", fmt::join(value.choices, " "));
  }
  return "";
}

// "*" in front: a flag may come again. A value may be the next word or follow "=".
std::string flag_specification(const FlagWords& flag, const std::string& name) {
  const bool is_long = name.starts_with("--");
  const bool takes_value = flag.value.source != Source::nothing;
  return single_quoted(fmt::format("*{}{}[{}]{}", name, takes_value ? (is_long ? "=" : "+") : "",
                                   escaped(flag.description), action(flag.value)));
}

std::string section(const CommandWords& command) {
  std::string text = fmt::format("  ({})\n", fmt::join(command.names, "|"));
  if (command.rest == CommandWords::Rest::of_program) {
    std::string flags;
    for (const FlagWords& flag : command.flags)
      flags += fmt::format(" {}", fmt::join(flag.names, " "));
    return text + "    local -i nothing=1\n    [[ $PREFIX == -* ]] && compadd --" + flags +
           " && nothing=0\n    _normal || return nothing\n    ;;\n";
  }
  text += "    _arguments -S";
  for (const FlagWords& flag : command.flags)
    for (const std::string& name : flag.names)
      text += " \\\n      " + flag_specification(flag, name);
  const std::string positional = action(command.positional);
  if (!positional.empty()) text += " \\\n      " + single_quoted("*" + positional);
  return text + "\n    ;;\n";
}

std::string entry(const std::string& name, std::string_view summary) {
  return "    " + single_quoted(name + ":" + std::string(summary)) + "\n";
}

}  // namespace

std::string zsh_completion(const std::vector<CommandWords>& commands) {
  std::string entries, sections;
  for (const CommandWords& command : commands) {
    for (const std::string& name : command.names) entries += entry(name, command.summary);
    sections += section(command);
  }
  entries += entry("access", "the commands of Access; may be left out");
  return std::string(hostnames) + "_mayfly() {\n  local -a commands=(\n" + entries + "  )" +
         std::string(dispatch) + sections + std::string(tail);
}

}  // namespace mayfly::cli
