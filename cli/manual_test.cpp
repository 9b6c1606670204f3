// Holds the manual pages and the README against the parsers: each flag and command is described,
// and no other.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "access/core/text.hpp"
#include "cli/commands.hpp"
#include "cli/curl/curl_arguments.hpp"

using namespace mayfly;
using namespace mayfly::cli;

namespace {

using Names = std::set<std::string>;

std::vector<std::string> lines_of_file(const std::string& name) {
  const char* source = std::getenv("MAYFLY_SOURCE");
  REQUIRE_MESSAGE(source != nullptr, "MAYFLY_SOURCE does not name the source directory");
  std::ifstream file(std::string(source) + "/" + name);
  REQUIRE_MESSAGE(file.good(), "there is no " << name);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> page(std::string_view name) {
  return lines_of_file("man/" + std::string(name) + ".1");
}

// The flags of an item of the page's lists: ".It Fl v , -verbose Ar x" describes -v and --verbose.
Names described_flags(std::string_view page_name) {
  Names flags;
  for (const std::string& line : page(page_name)) {
    std::istringstream words(line);
    std::string word;
    if (!(words >> word) || word != ".It" || !(words >> word) || word != "Fl") continue;
    while (words >> word) {
      if (word == "," || word == "Fl") continue;
      if (word == "Ar" || word == "Cm" || word == "Ns" || word == "|") break;
      flags.insert("-" + word);
    }
  }
  return flags;
}

// The flags of one command's own parser.
struct ParserFlags {
  Names own, shared, hidden, variables;
};

ParserFlags flags_of(const Command& command) {
  using Kind = ArgumentFacts::Kind;
  ParserFlags flags;
  for (const ArgumentFacts& one : parser_of(command).arguments()) {
    if (!one.variable.empty()) flags.variables.insert(one.variable);
    if (one.kind == Kind::help || one.kind == Kind::positional) continue;
    Names& names = one.kind == Kind::own      ? flags.own
                   : one.kind == Kind::hidden ? flags.hidden
                                              : flags.shared;
    names.insert(one.names.begin(), one.names.end());
  }
  return flags;
}

Names without(Names names, const Names& taken_out) {
  for (const std::string& name : taken_out) names.erase(name);
  return names;
}

std::string listed(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

// Each name in backticks in the first column of the README's table of commands.
Names commands_of_readme() {
  Names commands;
  bool in_table = false;
  for (const std::string& line : lines_of_file("README.md")) {
    if (line.starts_with("## ")) in_table = line == "## Commands";
    if (!in_table || !line.starts_with("| `")) continue;
    const std::string cell = line.substr(2, line.find(" | ", 2) - 2);
    const auto parts = split(cell, '`');
    for (std::size_t i = 1; i < parts.size(); i += 2)
      commands.emplace(parts[i].substr(0, parts[i].find(' ')));
  }
  return commands;
}

Names all_names() {
  Names names;
  for (const Command& command : all_commands()) {
    names.emplace(command.name);
    names.insert(command.aliases.begin(), command.aliases.end());
  }
  return names;
}

}  // namespace

TEST_CASE("manual: each command's page describes its own flags, and no others") {
  for (const Command& command : all_commands()) {
    CAPTURE(command.name);
    const ParserFlags flags = flags_of(command);
    const Names described = described_flags("mayfly-" + std::string(command.name));
    CHECK(listed(without(flags.own, described)) == "");
    Names unknown = without(without(described, flags.own), flags.hidden);
    if (command.name == "curl" && is_ours("-ar")) unknown.erase("-ar");  // none that CLI11 can take
    CHECK(listed(unknown) == "");
  }
}

TEST_CASE("manual: mayfly-access(1) describes the flags that commands share, and no others") {
  Names shared;
  for (const Command& command : all_commands()) shared.merge(flags_of(command).shared);
  CHECK(listed(shared) == listed(described_flags("mayfly-access")));
}

TEST_CASE("manual: mayfly(1) describes the help flags and every variable of a flag") {
  const Names described = described_flags("mayfly");
  for (const char* flag : {"--help", "-h", "--help-all", "--version", "-V", "--fedramp"})
    CHECK_MESSAGE(described.contains(flag), flag);
  Names variables;
  for (const std::string& line : page("mayfly")) {
    if (!line.starts_with(".It Ev ")) continue;
    for (const auto word : split(std::string_view(line).substr(7), ' ')) variables.emplace(word);
  }
  for (const Command& command : all_commands())
    CHECK(listed(without(flags_of(command).variables, variables)) == "");
}

TEST_CASE("manual: mayfly(1) refers to the page of every command") {
  Names referred;
  for (const std::string& line : page("mayfly")) {
    if (!line.starts_with(".It Xr mayfly-")) continue;
    for (const auto word : split(line, ' '))
      if (word.starts_with("mayfly-")) referred.emplace(word.substr(7));
  }
  CHECK(listed(referred) == listed(all_names()));
}

TEST_CASE("manual: the README's table has every command, and no others") {
  CHECK(listed(commands_of_readme()) == listed(all_names()));
}
