#include "cli/flags/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "cli/environment.hpp"
#include "cli/flags/help.hpp"
#include "cli/terminal/message.hpp"

namespace mayfly::cli {
namespace {

bool has_long_flag(const CLI::App& parser, std::string_view name) {
  const auto options = parser.get_options();
  return std::any_of(options.begin(), options.end(), [&](const CLI::Option* option) {
    const auto& names = option->get_lnames();
    return std::find(names.begin(), names.end(), name) != names.end();
  });
}

// The long name of a flag without a value that is known by this letter; "" when there is none.
std::string long_name_of_switch(const CLI::App& parser, std::string_view letter) {
  for (const CLI::Option* option : parser.get_options()) {
    const auto& names = option->get_snames();
    const bool is_meant = std::find(names.begin(), names.end(), letter) != names.end();
    if (is_meant && option->get_items_expected_max() == 0 && !option->get_lnames().empty())
      return option->get_lnames().front();
  }
  return "";
}

// cloudflared's flags follow Go's rule: one dash or two mean the same, "-L=X" is "-L X", and
// "-q=true" is "-q".
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
  } else if (name.size() != 1 || equals == std::string::npos) {
    out.push_back(argument);
  } else if (const std::string on_off = long_name_of_switch(parser, name); !on_off.empty()) {
    out.push_back("--" + on_off + argument.substr(equals));
  } else {
    out.push_back(argument.substr(0, 2));
    out.push_back(argument.substr(equals + 1));
  }
}

class HelpFormatter : public CLI::FormatterBase {
 public:
  explicit HelpFormatter(Usage usage) : usage_(usage) {}
  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode mode) const override {
    const bool all = mode == CLI::AppFormatMode::All;
    return help_text(*app, usage_, all ? HelpExtent::all : HelpExtent::own);
  }

 private:
  Usage usage_;
};

std::string lower_first(std::string text) {
  if (text.size() > 1 && text[1] >= 'a' && text[1] <= 'z') text[0] = to_lower(text.substr(0, 1))[0];
  return text;
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
Argument& Argument::excludes(const Argument& other) {
  return option_->excludes(other.option_), *this;
}
Argument& Argument::range(int least, int most) {
  return option_->check(CLI::Range(least, most)), *this;
}
Argument& Argument::one_of(const std::vector<std::string>& words) {
  return option_->check(CLI::IsMember(words)), *this;
}

Parser::Parser(const Usage& usage)
    : app_(std::make_unique<CLI::App>(std::string(usage.description))) {
  app_->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app_->set_help_flag("--help,-h", "show this help");
  app_->formatter(std::make_shared<HelpFormatter>(usage));
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
void Parser::prefix_command() {
  app_->prefix_command();
}
void Parser::keep_flags(const std::function<bool(const std::string& long_name)>& is_kept) {
  for (CLI::Option* option : app_->get_options()) {
    const bool is_help = option == app_->get_help_ptr() || option == app_->get_help_all_ptr();
    if (!is_help && !is_kept(option->get_lnames().front())) app_->remove_option(option);
  }
}

bool has_flag(const Command& command, std::string_view long_name) {
  bool found = false;
  Invocation invocation{.name = std::string(command.name), .arguments = {}};
  invocation.show_parser = [&](const CLI::App& parser) {
    found = has_long_flag(parser, long_name);
  };
  command.run(invocation);
  return found;
}

Parsed parse_arguments(const Parser& described, const Invocation& invocation) {
  CLI::App& parser = described.app();
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
    print_product(as_called(parser.help()));
    return Parsed::help_shown;
  } catch (const CLI::CallForAllHelp&) {
    print_product(as_called(parser.help("", CLI::AppFormatMode::All)));
    return Parsed::help_shown;
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorKind::usage,
                fmt::format("cannot read the arguments of {}: {}", invocation.name,
                            lower_first(printable(error.what()))),
                fmt::format("run: mayfly access {} --help", invocation.name));
  }
  // What it said is in the flags now: the parser and the environment keep no secret.
  parser.clear();
  forget_variable("TUNNEL_SERVICE_TOKEN_SECRET");
  return Parsed::run;
}

}  // namespace mayfly::cli
