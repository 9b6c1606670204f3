#include "cli/flags/help.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "access/core/text.hpp"
#include "cli/completion/completion_words.hpp"

namespace mayfly::cli {
namespace {

constexpr std::size_t width = 80, column = 28;
// CLI11's name for the group of options that have not been put into another.
constexpr std::string_view own_group = "Options";

bool is_visible(const CLI::Option& option) {
  return !option.get_group().empty();
}

bool is_shared(const CLI::Option& option) {
  return is_visible(option) && !option.get_positional() && option.get_group() != own_group;
}

// Words from the given column on, in as many lines as it takes; the first line has begun already.
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

// What the command's author called the value; else what is known of it.
std::string placeholder(const CLI::Option& option) {
  constexpr std::array<std::string_view, 5> types = {"TEXT", "INT", "UINT", "FLOAT", "BOOLEAN"};
  std::string name = option.get_type_name();
  const std::string_view type = std::string_view(name).substr(0, name.find(':'));
  if (std::find(types.begin(), types.end(), type) == types.end()) return name;
  const ValueWords value = value_words(option);
  switch (value.source) {
    case ValueWords::Source::nothing:
      return "";
    case ValueWords::Source::hostname:
      return "HOST";
    case ValueWords::Source::file:
      return "FILE";
    case ValueWords::Source::directory:
      return "DIR";
    case ValueWords::Source::choice:
      return fmt::format("{}", fmt::join(value.choices, "|"));
    case ValueWords::Source::anything:
      return type == "TEXT" ? "VALUE" : "N";
  }
  return "";
}

std::string flag_row(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : option.get_snames())
    names += fmt::format("{}-{}", names.empty() ? "" : ", ", name);
  for (const std::string& name : option.get_lnames())
    names += fmt::format("{}--{}", names.empty() ? "" : ", ", name);
  const std::string value = placeholder(option);
  return row(value.empty() ? names : names + " " + value, option.get_description());
}

std::vector<const CLI::Option*> shared_options(const CLI::App& parser) {
  return parser.get_options([](const CLI::Option* option) { return is_shared(*option); });
}

// The help flags come last.
std::string own_flags(const CLI::App& parser) {
  std::string rows, help_rows;
  for (const CLI::Option* option : parser.get_options()) {
    if (option->get_positional() || !is_visible(*option) || is_shared(*option)) continue;
    const bool is_help = option == parser.get_help_ptr() || option == parser.get_help_all_ptr();
    (is_help ? help_rows : rows) += flag_row(*option);
  }
  return "Flags:\n" + rows + help_rows;
}

std::string shared_names(const CLI::App& parser) {
  std::string names;
  for (const CLI::Option* option : shared_options(parser))
    names += (names.empty() ? "--" : " --") + option->get_lnames().front();
  if (names.empty()) return "";
  return "\nShared flags, explained by --help-all and in mayfly-access(1):\n  " + wrapped(names, 2);
}

std::string shared_flags(const CLI::App& parser) {
  std::string text;
  std::string_view group;
  for (const CLI::Option* option : shared_options(parser)) {
    if (group != option->get_group()) text += fmt::format("\n{}:\n", option->get_group());
    group = option->get_group();
    text += flag_row(*option);
  }
  return text;
}

std::string positionals(const CLI::App& parser) {
  std::string rows;
  for (const CLI::Option* option : parser.get_options())
    if (option->get_positional()) rows += row(option->get_name(), option->get_description());
  return rows.empty() ? "" : rows + "\n";
}

}  // namespace

std::string help_text(const CLI::App& parser, const Usage& usage, HelpExtent extent) {
  std::string text =
      fmt::format("usage: mayfly access {}\n\n{}\n", usage.synopsis, wrapped(usage.description, 0));
  text += positionals(parser) + own_flags(parser);
  text += extent == HelpExtent::own ? shared_names(parser) : shared_flags(parser);
  return text + fmt::format("\nExamples:\n{}\n", usage.examples);
}

}  // namespace mayfly::cli
