// The completion scripts of three shells, written from the commands and flags.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/completion/completion_words.hpp"

namespace mayfly::cli {

// For a file that the shell loads by itself, or `source <(mayfly completion bash)`. Host names are
// asked for when they are wanted, by `mayfly completion --hostnames`.
std::string bash_completion(const std::vector<CommandWords>& commands);
std::string zsh_completion(const std::vector<CommandWords>& commands);
std::string fish_completion(const std::vector<CommandWords>& commands);

// The text in the single quotes of sh, bash and zsh.
std::string single_quoted(std::string_view text);

}  // namespace mayfly::cli
