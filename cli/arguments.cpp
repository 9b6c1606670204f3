#include "cli/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "cli/message.hpp"

namespace mayfly::cli {
namespace {

bool has_long_flag(const CLI::App& parser, std::string_view name) {
  const auto options = parser.get_options();
  return std::any_of(options.begin(), options.end(), [&](const CLI::Option* option) {
    const auto& names = option->get_lnames();
    return std::find(names.begin(), names.end(), name) != names.end();
  });
}

// cloudflared's flags follow Go's rule: one dash or two mean the same, and "-L=X" is "-L X".
void add_normalised(const CLI::App& parser, const std::string& argument,
                    std::vector<std::string>& out) {
  if (argument.size() < 3 || argument[0] != '-' || argument[1] == '-') {
    out.push_back(argument);
    return;
  }
  const auto equals = argument.find('=');
  const std::string_view name = std::string_view(argument).substr(1, equals - 1);
  if (name.size() > 1 && has_long_flag(parser, name)) {
    out.push_back("-" + argument);
  } else if (name.size() == 1 && equals != std::string::npos) {
    out.push_back(argument.substr(0, 2));
    out.push_back(argument.substr(equals + 1));
  } else {
    out.push_back(argument);
  }
}

// CLI11's own layout, but for the first line: our commands are words, not one program each.
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::string_view synopsis) : synopsis_(synopsis) { column_width(34); }
  std::string make_usage(const CLI::App*, std::string) const override {
    return fmt::format("usage: mayfly access {}\n\n", synopsis_);
  }
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    // The usage first, then what the command is for.
    const std::string description = app->get_description();
    std::string text = CLI::Formatter::make_help(app, std::move(name), mode);
    const auto place = text.find(description);
    if (description.empty() || place != 0) return text;
    text.erase(0, text.find("usage:"));
    return text.insert(text.find("\n\n") + 2, description + "\n");
  }
  // Neither "TEXT" nor the variable's name behind each flag: the words say what goes there.
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_items_expected_max() > 0 && !option->get_positional() ? " X" : "";
  }

 private:
  std::string synopsis_;
};

std::string lower_first(std::string text) {
  if (text.size() > 1 && text[1] >= 'a' && text[1] <= 'z') text[0] = to_lower(text.substr(0, 1))[0];
  return text;
}

}  // namespace

std::unique_ptr<CLI::App> make_parser(const Usage& usage) {
  auto parser = std::make_unique<CLI::App>(std::string(usage.description));
  // As in Go's flags; those that may be repeated keep all.
  parser->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  parser->set_help_flag("--help,-h", "show this help");
  if (!usage.examples.empty()) parser->footer(fmt::format("Examples:\n{}", usage.examples));
  parser->formatter(std::make_shared<HelpFormatter>(usage.synopsis));
  return parser;
}

Parsed parse_arguments(CLI::App& parser, const Invocation& invocation) {
  if (invocation.show_parser) {
    invocation.show_parser(parser);
    return Parsed::help_shown;
  }
  std::vector<std::string> normalised;
  bool only_positionals = false;
  for (const std::string& argument : invocation.arguments) {
    only_positionals = only_positionals || argument == "--";
    if (only_positionals) {
      normalised.push_back(argument);
    } else {
      add_normalised(parser, argument, normalised);
    }
  }
  std::reverse(normalised.begin(), normalised.end());  // CLI11 takes a vector from its end
  try {
    parser.parse(normalised);
  } catch (const CLI::CallForHelp&) {
    print_product(parser.help());
    return Parsed::help_shown;
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorKind::usage,
                fmt::format("cannot read the arguments of {}: {}", invocation.name,
                            lower_first(printable(error.what()))),
                fmt::format("run: mayfly access {} --help", invocation.name));
  }
  return Parsed::run;
}

}  // namespace mayfly::cli
