#include <fmt/core.h>

#include "access/core/text.hpp"
#include "cli/flags/arguments.hpp"

namespace mayfly::cli {
namespace {

constexpr std::size_t width = 80, column = 28;
using Kind = ArgumentFacts::Kind;

// Wraps words into lines from the given column on; the first line has begun already.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string result;
  std::size_t at = indent;
  for (const std::string_view word : split(text, ' ')) {
    if (at > indent && at + 1 + word.size() > width) {
      result += '\n' + std::string(indent, ' ');
      at = indent;
    }
    if (at > indent) result += ' ', ++at;
    result += word;
    at += word.size();
  }
  return result + '\n';
}

std::string row(const std::string& left, std::string_view right) {
  const std::string start = "  " + left;
  const bool fits = start.size() + 2 <= column;
  const std::string gap =
      fits ? std::string(column - start.size(), ' ') : '\n' + std::string(column, ' ');
  return start + gap + wrapped(right, column);
}

std::string flag_row(const ArgumentFacts& flag) {
  std::string letters, names;
  for (const std::string& name : flag.names)
    (name.starts_with("--") ? names : letters) += name + ", ";
  names.insert(0, letters);
  names.resize(names.size() - 2);
  return row(flag.placeholder.empty() ? names : names + " " + flag.placeholder, flag.help);
}

std::string rows_of(const std::vector<ArgumentFacts>& arguments, Kind kind) {
  std::string rows;
  for (const ArgumentFacts& one : arguments)
    if (one.kind == kind)
      rows += kind == Kind::positional ? row(one.names.front(), one.help) : flag_row(one);
  return rows;
}

std::string shared_names(const std::vector<ArgumentFacts>& arguments) {
  std::string names;
  for (const ArgumentFacts& one : arguments)
    if (one.kind == Kind::shared) names += (names.empty() ? "" : " ") + one.names.front();
  if (names.empty()) return "";
  return "\nShared flags, explained by --help-all and in mayfly-access(1):\n  " + wrapped(names, 2);
}

std::string shared_flags(const std::vector<ArgumentFacts>& arguments) {
  std::string text;
  std::string_view group;
  for (const ArgumentFacts& one : arguments) {
    if (one.kind != Kind::shared) continue;
    if (group != one.group) text += fmt::format("\n{}:\n", one.group);
    group = one.group;
    text += flag_row(one);
  }
  return text;
}

}  // namespace

std::string help_text(const Parser& parser, HelpExtent extent) {
  const Usage& usage = parser.usage();
  const auto arguments = parser.arguments();
  const std::string positionals = rows_of(arguments, Kind::positional);
  return fmt::format("usage: mayfly access {}\n\n{}\n", usage.synopsis,
                     wrapped(usage.description, 0)) +
         (positionals.empty() ? "" : positionals + "\n") + "Flags:\n" +
         rows_of(arguments, Kind::own) + rows_of(arguments, Kind::help) +
         (extent == HelpExtent::own ? shared_names(arguments) : shared_flags(arguments)) +
         fmt::format("\nExamples:\n{}\n", usage.examples);
}

}  // namespace mayfly::cli
