#include "cli/flags/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/child_environment.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/message.hpp"

namespace mayfly::cli {
namespace {

// Finds a flag by its long name or its letter without dashes. Returns nullptr if there is none.
const CLI::Option* flag_of(const CLI::App& parser, std::string_view name) {
  for (const CLI::Option* option : parser.get_options()) {
    const auto& names = name.size() == 1 ? option->get_snames() : option->get_lnames();
    if (std::find(names.begin(), names.end(), name) != names.end()) return option;
  }
  return nullptr;
}

bool takes_value(const CLI::Option& flag) {
  return flag.get_items_expected_max() > 0;
}

using Words = std::vector<std::string>;

// CLI11 would take "--name=" for a flag that lacks its value.
Words long_form(const CLI::Option& flag, const std::string& word) {
  const auto end = word.size() - 1;
  if (word.find('=') != end || !takes_value(flag)) return {word};
  return {word.substr(0, end), ""};
}

Words letter_form(const CLI::Option& flag, const std::string& word) {
  constexpr std::size_t equals = 2;  // "-x="
  if (word.size() <= equals) return {word};
  if (takes_value(flag)) return {word.substr(0, equals), word.substr(equals + 1)};
  const auto& names = flag.get_lnames();
  return {names.empty() ? word : "--" + names.front() + word.substr(equals)};
}

// cloudflared's flags follow Go's rule: one dash or two mean the same, "-L=X" is "-L X", and
// "-q=true" is "-q".
Words normalised(const CLI::App& parser, const std::string& word) {
  if (!word.starts_with('-')) return {word};
  const std::size_t dashes = word.starts_with("--") ? 2 : 1;
  const std::string name = word.substr(dashes, word.find('=') - dashes);
  const CLI::Option* flag = flag_of(parser, name);
  if (!flag) return {word};
  if (name.size() > 1) return long_form(*flag, "--" + word.substr(dashes));
  return dashes == 1 ? letter_form(*flag, word) : Words{word};
}

// Reads "{ecdsa,ed25519}", as CLI::IsMember describes itself in the name of a type.
std::vector<std::string> choices_of(const std::string& type) {
  const auto begin = type.find('{'), end = type.find('}', begin);
  if (begin == std::string::npos || end == std::string::npos) return {};
  std::vector<std::string> choices;
  for (const auto choice : split(std::string_view(type).substr(begin + 1, end - begin - 1), ','))
    choices.emplace_back(choice);
  return choices;
}

using Value = ArgumentFacts::Value;

// CLI11 does not know what a text means; the names of our arguments tell.
Value value_by_name(std::string_view name) {
  if (is_among(name, {"hostname", "app", "URL", "HOST"})) return Value::host;
  if (is_among(name, {"cert", "key", "cacert"}) || name.ends_with("file")) return Value::file;
  return name.ends_with("directory") ? Value::directory : Value::anything;
}

// Returns the name that the binding gave the value, or else one for its kind.
std::string placeholder(const ArgumentFacts& facts, const std::string& type_name) {
  const std::string type = type_name.substr(0, type_name.find(':'));
  if (!is_among(type, {"TEXT", "INT", "UINT", "FLOAT", "BOOLEAN"})) return type_name;
  switch (facts.value) {
    case Value::none:
      return "";
    case Value::host:
      return "HOST";
    case Value::file:
      return "FILE";
    case Value::directory:
      return "DIR";
    case Value::choice:
      return fmt::format("{}", fmt::join(facts.choices, "|"));
    case Value::anything:
      return type == "TEXT" ? "VALUE" : "N";
  }
  return "";
}

ArgumentFacts::Kind kind_of(const CLI::App& parser, const CLI::Option& option) {
  using Kind = ArgumentFacts::Kind;
  constexpr std::string_view group_of_own = "Options";  // CLI11's name for no group
  if (option.get_group().empty()) return Kind::hidden;
  if (option.get_positional()) return Kind::positional;
  if (&option == parser.get_help_ptr() || &option == parser.get_help_all_ptr()) return Kind::help;
  return option.get_group() == group_of_own ? Kind::own : Kind::shared;
}

ArgumentFacts facts_of(const CLI::App& parser, const CLI::Option& option) {
  ArgumentFacts facts{.kind = kind_of(parser, option),
                      .names = {},
                      .help = option.get_description(),
                      .group = option.get_group(),
                      .variable = option.get_envname(),
                      .placeholder = {}};
  if (option.get_positional()) facts.names = {option.get_name()};
  for (const std::string& name : option.get_lnames()) facts.names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) facts.names.push_back("-" + name);
  if (option.get_items_expected_max() > 0) {
    const std::string& name = facts.names.front();
    facts.choices = choices_of(option.get_type_name());
    facts.value = facts.choices.empty()
                      ? value_by_name(name.starts_with("--") ? name.substr(2) : name)
                      : Value::choice;
  }
  facts.placeholder = placeholder(facts, option.get_type_name());
  return facts;
}

// Returns whether the next word is the flag's value.
bool awaits_value(const CLI::App& parser, const std::string& word) {
  const auto words = normalised(parser, word);
  if (words.size() != 1 || !words[0].starts_with('-') || words[0].find('=') != std::string::npos)
    return false;
  const CLI::Option* flag = flag_of(parser, words[0].substr(words[0].starts_with("--") ? 2 : 1));
  return flag != nullptr && takes_value(*flag);
}

// Returns the index of the first "--" that is no flag's value, or the number of words.
std::size_t first_dashes(const CLI::App& parser, const Words& words) {
  std::size_t at = 0;
  while (at < words.size() && words[at] != "--") at += awaits_value(parser, words[at]) ? 2 : 1;
  return std::min(at, words.size());
}

// Returns the index of the first positional argument, or the number of words if there is none.
std::size_t first_positional(const CLI::App& parser, const Words& words) {
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with('-') && words[at] != "--")
    at += awaits_value(parser, words[at]) ? 2 : 1;
  return std::min(at, words.size());
}

std::string lower_first(std::string text) {
  if (text.size() > 1 && text[1] >= 'a' && text[1] <= 'z') text[0] = to_lower(text.substr(0, 1))[0];
  return text;
}

// Finds the flag that is given more often than it may be. Returns nullptr if there is none.
const CLI::Option* repeated_flag(const CLI::App& parser) {
  for (const CLI::Option* option : parser.get_options())
    if (option->get_multi_option_policy() == CLI::MultiOptionPolicy::Throw && option->count() > 1)
      return option;
  return nullptr;
}

Error unreadable(const Invocation& invocation, std::string_view why) {
  return {ErrorKind::usage,
          fmt::format("cannot read the arguments of {}: {}", invocation.name, printable(why)),
          fmt::format("run: mayfly access {} --help", invocation.name)};
}

}  // namespace

Argument& Argument::envname(const char* variable) {
  return option_->envname(variable), *this;
}
Argument& Argument::type_name(const char* name) {
  return option_->type_name(name), *this;
}
Argument& Argument::group(const char* name) {
  return option_->group(name), *this;
}
Argument& Argument::required() {
  return option_->required(), *this;
}
Argument& Argument::once() {
  return option_->multi_option_policy(CLI::MultiOptionPolicy::Throw), *this;
}
Argument& Argument::excludes(const Argument& other) {
  return option_->excludes(other.option_), *this;
}
Argument& Argument::range(int least, int most) {
  return option_->check(CLI::Range(least, most)), *this;
}
Argument& Argument::one_of(const std::vector<std::string>& words) {
  return option_->check(CLI::IsMember(words)), *this;
}

Parser::Parser(const Usage& usage) : usage_(usage), app_(std::make_unique<CLI::App>()) {
  app_->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app_->set_help_flag("--help,-h", "show this help");
  // Scripts may ask any command; a command without shared flags does not list it.
  app_->set_help_all_flag("--help-all", "the same as --help")->group("");
}
Parser::Parser(Parser&&) noexcept = default;
Parser::~Parser() = default;

Argument Parser::add_option(const char* names, std::string& value, const char* help) {
  return Argument(app_->add_option(names, value, help));
}
Argument Parser::add_option(const char* names, unsigned& value, const char* help) {
  return Argument(app_->add_option(names, value, help));
}
Argument Parser::add_option(const char* names, std::optional<std::size_t>& value,
                            const char* help) {
  return Argument(app_->add_option(names, value, help));
}
Argument Parser::add_option(const char* names, std::vector<std::string>& values, const char* help) {
  return Argument(app_->add_option(names, values, help)->allow_extra_args(names[0] != '-'));
}
Argument Parser::add_flag(const char* names, bool& value, const char* help) {
  return Argument(app_->add_flag(names, value, help));
}
void Parser::add_help_for_all(const char* names, const char* help) {
  app_->set_help_all_flag(names, help);
}
void Parser::keep_flags(const std::function<bool(const std::string& long_name)>& is_kept) {
  for (CLI::Option* option : app_->get_options()) {
    const bool is_help = option == app_->get_help_ptr() || option == app_->get_help_all_ptr();
    if (!is_help && !is_kept(option->get_lnames().front())) app_->remove_option(option);
  }
}

std::vector<ArgumentFacts> Parser::arguments() const {
  std::vector<ArgumentFacts> all;
  for (const CLI::Option* option : app_->get_options()) all.push_back(facts_of(*app_, *option));
  return all;
}
bool Parser::has_flag(std::string_view name) const {
  return flag_of(*app_, name) != nullptr;
}

Parsed parse_arguments(const Parser& described, const Invocation& invocation) {
  CLI::App& parser = described.app();
  Words words, arguments = invocation.arguments;
  if (Words* rest = described.rest()) {
    const auto first =
        arguments.begin() + static_cast<std::ptrdiff_t>(first_positional(parser, arguments));
    const bool has_dashes = first != arguments.end() && *first == "--";
    rest->assign(has_dashes ? first + 1 : first, arguments.end());
    arguments.erase(first, arguments.end());
  }
  if (Words* program = described.program()) {
    const auto dashes =
        arguments.begin() + static_cast<std::ptrdiff_t>(first_dashes(parser, arguments));
    if (dashes != arguments.end()) {
      if (dashes + 1 == arguments.end() || (dashes + 1)->empty())
        throw unreadable(invocation, "a program is missing behind --");
      program->assign(dashes + 1, arguments.end());
      arguments.erase(dashes, arguments.end());
    }
  }
  bool only_positionals = false;
  for (const std::string& argument : arguments) {
    only_positionals = only_positionals || argument == "--";
    for (std::string& word : only_positionals ? Words{argument} : normalised(parser, argument))
      words.push_back(std::move(word));
  }
  std::reverse(words.begin(), words.end());  // CLI11 takes a vector from its end
  try {
    parser.parse(words);
  } catch (const CLI::CallForHelp&) {
    print_result(as_called(help_text(described, HelpExtent::own)));
    return Parsed::help_shown;
  } catch (const CLI::CallForAllHelp&) {
    print_result(as_called(help_text(described, HelpExtent::all)));
    return Parsed::help_shown;
  } catch (const CLI::ExtrasError&) {
    // The text of the exception has them in reverse order.
    throw unreadable(invocation,
                     fmt::format("not expected: {}", fmt::join(parser.remaining(), " ")));
  } catch (const CLI::ArgumentMismatch& error) {
    if (const CLI::Option* flag = repeated_flag(parser))
      throw unreadable(invocation, flag->get_name() + " is given more than once");
    throw unreadable(invocation, lower_first(error.what()));
  } catch (const CLI::ParseError& error) {
    throw unreadable(invocation, lower_first(error.what()));
  }
  // The flags have the values now: no secret stays in the parser or the environment.
  parser.clear();
  for (const char* name : {"TUNNEL_SERVICE_TOKEN_SECRET", "MAYFLY_CERT", "MAYFLY_KEY"})
    if (is_secret_variable(name, variable(name))) forget_variable(name);
  return Parsed::run;
}

}  // namespace mayfly::cli
