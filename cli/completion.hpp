// Completion of command lines: the shells ask the program for candidates.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "access/identity/inventory.hpp"

namespace mayfly::cli {

struct Completion {
  // The shell's part. program: what follows "curl", or "--", is completed as a command line of its
  // own.
  enum class Kind { words, files, directories, program } kind = Kind::words;
  struct Candidate {
    std::string word, description;  // the word is whole: "--hostname=vm.example.com"
  };
  std::vector<Candidate> candidates = {};
};

using HostNames = std::function<std::vector<std::string>()>;

// Completes the last of the words, which are those after the program's name. Uses no network; calls
// hosts only if a host is wanted.
Completion complete(std::vector<std::string> words, const HostNames& hosts);

// Returns the host names, or hosts with a path, that the state directory and ssh_config name,
// sorted and without wildcards. Each is safe to show and to hand to a shell.
std::vector<std::string> known_hosts(const Inventory& inventory,
                                     const std::vector<std::string>& stems_with_keys,
                                     const std::vector<std::string>& configured);

// Returns the script for bash, zsh or fish.
std::string_view completion_script(std::string_view shell);

}  // namespace mayfly::cli
