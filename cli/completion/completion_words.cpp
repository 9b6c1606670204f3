#include "cli/completion/completion_words.hpp"

#include <CLI/CLI.hpp>

#include "access/core/text.hpp"

namespace mayfly::cli {
namespace {

using Source = ValueWords::Source;

// "{ecdsa,ed25519}", as CLI::IsMember describes itself in the type's name.
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto begin = type.find('{'), end = type.find('}', begin);
  if (begin == std::string::npos || end == std::string::npos) return {};
  std::vector<std::string> choices;
  for (const auto choice : split(std::string_view(type).substr(begin + 1, end - begin - 1), ','))
    choices.emplace_back(choice);
  return choices;
}

// The parsers do not say what a text means; the names of our flags do.
Source source_by_name(std::string_view name) {
  for (const std::string_view host : {"hostname", "app", "URL"})
    if (name == host) return Source::hostname;
  for (const std::string_view file : {"cert", "key", "cacert"})
    if (name == file) return Source::file;
  if (name.ends_with("file")) return Source::file;
  return name.ends_with("directory") ? Source::directory : Source::anything;
}

// Its first long name, or what stands for a positional.
std::string name_of(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name();
  return option.get_lnames().empty() ? "" : option.get_lnames().front();
}

FlagWords flag_words(const CLI::Option& option) {
  FlagWords flag;
  flag.description = option.get_description();
  for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
  flag.value = value_words(option);
  return flag;
}

void take(CommandWords& words, const CLI::App& parser) {
  if (parser.get_prefix_command()) words.rest = CommandWords::Rest::of_program;
  for (const CLI::Option* option : parser.get_options()) {
    if (option->get_positional()) {
      words.positional = value_words(*option);
    } else if (!option->get_group().empty()) {
      words.flags.push_back(flag_words(*option));
    }
  }
}

}  // namespace

ValueWords value_words(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return {};
  if (auto choices = choices_of(option); !choices.empty())
    return {Source::choice, std::move(choices)};
  return {source_by_name(name_of(option)), {}};
}

std::vector<CommandWords> command_words(std::span<const Command> commands) {
  std::vector<CommandWords> all;
  for (const Command& command : commands) {
    CommandWords words{{std::string(command.name)}, std::string(command.summary), {}, {}};
    words.names.insert(words.names.end(), command.aliases.begin(), command.aliases.end());
    Invocation invocation{.name = words.names.front(), .arguments = {}};
    invocation.show_parser = [&](const CLI::App& parser) { take(words, parser); };
    command.run(invocation);
    all.push_back(std::move(words));
  }
  return all;
}

}  // namespace mayfly::cli
