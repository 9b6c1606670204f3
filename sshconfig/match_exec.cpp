#include "sshconfig/match_exec.hpp"

#include <algorithm>

#include "sshconfig/shell_words.hpp"

namespace mayfly::sshconfig {
namespace {

constexpr std::string_view note_begins = "mayfly-match-exec: ";

}  // namespace

std::vector<std::pair<std::string, std::string>> match_exec_variables(std::string_view stand_in,
                                                                      std::string_view real_shell) {
  return {{"SHELL", std::string(stand_in)},
          {real_shell_variable, real_shell.empty() ? "/bin/sh" : std::string(real_shell)}};
}

bool makes_certificate(std::string_view command) {
  const auto words = shell_words(command);
  return std::find(words.begin(), words.end(), "ssh-gen") != words.end();
}

std::string match_exec_note(std::string_view command) {
  std::string line(note_begins);
  for (const char c : command) line += c == '\n' ? ' ' : c;
  return line + "\n";
}

std::string_view noted_match_exec(std::string_view line) {
  if (!line.starts_with(note_begins)) return {};
  return line.substr(note_begins.size());
}

}  // namespace mayfly::sshconfig
