// Reading a command's arguments: CLI11, told about the forms that cloudflared's users type. Its
// header takes seconds to compile and makes objects at every start in each file that includes it:
// only what asks a parser about itself (help, completion) does.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace mayfly::cli {

struct Usage {
  std::string_view synopsis;  // "login [flags] [URL]"
  std::string_view description;
  std::string_view examples;
};

// A flag or positional argument of a Parser, which it does not outlive. What is said of it is as in
// CLI11.
class Argument {
 public:
  explicit Argument(CLI::Option* option) : option_(option) {}

  Argument& envname(const char* variable);
  Argument& type_name(const char* name);
  Argument& group(const char* name);  // "": in no help
  Argument& required();
  Argument& excludes(const Argument& other);
  Argument& range(int least, int most);
  Argument& one_of(const std::vector<std::string>& words);

 private:
  CLI::Option* option_;
};

// A command's flags and positional arguments. Of a flag that is repeated the last counts, as in
// Go's flags; those that go to a vector keep all, one for each time.
class Parser {
 public:
  explicit Parser(const Usage& usage);
  Parser(Parser&&) noexcept;
  ~Parser();

  // names: "--long,-s", or "NAME" for a positional argument. What the value is written to outlives
  // the parser.
  Argument add_option(const char* names, std::string& value, const char* help);
  Argument add_option(const char* names, unsigned& value, const char* help);
  Argument add_option(const char* names, std::optional<std::size_t>& value, const char* help);
  Argument add_option(const char* names, std::vector<std::string>& values, const char* help);
  Argument add_flag(const char* names, bool& value, const char* help);
  void add_help_for_all(const char* names, const char* help);  // shows every group
  // Takes out those whose long name does not satisfy it, but for the helps.
  void keep_flags(const std::function<bool(const std::string& long_name)>& is_kept);
  void prefix_command();  // the rest is another program's command line

  CLI::App& app() const { return *app_; }

 private:
  std::unique_ptr<CLI::App> app_;
};

// Asks the command's parser; name without its dashes.
bool has_flag(const Command& command, std::string_view long_name);

enum class Parsed { run, help_shown };

// Single-dash long flags ("-app X", "-app=X") are taken for the double-dash ones. Throws usage
// Error. With Invocation::show_parser nothing is parsed: the parser is shown, as for a help.
Parsed parse_arguments(const Parser& parser, const Invocation& invocation);

}  // namespace mayfly::cli
