// Reads a command's arguments by CLI11, and takes the forms that users of cloudflared type too.
// CLI11's header takes seconds to compile: only arguments.cpp includes it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace mayfly::cli {

// A command line from the command's name on.
struct Invocation {
  std::string name;  // as typed: "ssh", "tcp" ...
  std::vector<std::string> arguments;
};

// The texts of a command's help.
struct Usage {
  std::string_view synopsis;  // "login [flags] URL"
  std::string_view description;
  std::string_view examples;
};

// An argument as help, completion and the test of the manual pages see it.
struct ArgumentFacts {
  // own: a flag of the command; shared: a flag of a named group, which other commands have too.
  enum class Kind { own, shared, help, positional, hidden } kind = Kind::own;
  std::vector<std::string> names;  // "--quiet", "-q", long names first; a positional's one name
  std::string help, group, variable;
  std::string placeholder;  // of the value in a help: "FILE"; "" if the flag takes none
  enum class Value { none, anything, host, file, directory, choice } value = Value::none;
  std::vector<std::string> choices = {};
};

// A flag or positional argument of a Parser, which outlives it. The methods do what those of
// CLI::Option do.
class Argument {
 public:
  explicit Argument(CLI::Option* option) : option_(option) {}

  Argument& envname(const char* variable);
  Argument& type_name(const char* name);
  Argument& group(const char* name);  // "" hides the argument
  Argument& required();
  Argument& once();  // a repeated flag is a usage Error
  Argument& excludes(const Argument& other);
  Argument& range(int least, int most);
  Argument& one_of(const std::vector<std::string>& words);

 private:
  CLI::Option* option_;
};

// A command's flags and positional arguments. The last occurrence of a repeated flag counts, as in
// Go; a flag that is bound to a vector keeps all.
class Parser {
 public:
  explicit Parser(const Usage& usage);
  Parser(Parser&&) noexcept;
  ~Parser();

  // names: "--long,-s", or "NAME" for a positional argument. The value outlives the parser.
  Argument add_option(const char* names, std::string& value, const char* help);
  Argument add_option(const char* names, unsigned& value, const char* help);
  Argument add_option(const char* names, std::optional<std::size_t>& value, const char* help);
  Argument add_option(const char* names, std::vector<std::string>& values, const char* help);
  Argument add_flag(const char* names, bool& value, const char* help);
  void add_help_for_all(const char* names, const char* help);  // shows every group
  // Removes all flags but the help flags and those whose long name satisfies the predicate.
  void keep_flags(const std::function<bool(const std::string& long_name)>& is_kept);
  // Leaves the arguments to another program, except a lone --help or --help-all.
  void leave_arguments_to_program() { leaves_arguments_ = true; }
  bool leaves_arguments() const noexcept { return leaves_arguments_; }
  // Moves the first positional argument and all that follow it to `rest`, which outlives the
  // parser. A "--" before them is dropped.
  void leave_rest_to_program(std::vector<std::string>& rest) { rest_ = &rest; }
  std::vector<std::string>* rest() const noexcept { return rest_; }
  // Moves the words behind the first "--" to `program`, which outlives the parser: the name of a
  // program and its arguments. A "--" without a word behind it is a usage Error.
  void leave_words_behind_dashes(std::vector<std::string>& program) { program_ = &program; }
  std::vector<std::string>* program() const noexcept { return program_; }

  const Usage& usage() const noexcept { return usage_; }
  std::vector<ArgumentFacts> arguments() const;
  // Takes the name without dashes; one character names a letter.
  bool has_flag(std::string_view name) const;
  CLI::App& app() const { return *app_; }

 private:
  Usage usage_;
  std::unique_ptr<CLI::App> app_;
  bool leaves_arguments_ = false;
  std::vector<std::string>* rest_ = nullptr;
  std::vector<std::string>* program_ = nullptr;
};

enum class Parsed { run, help_shown };

// Sets what the parser is bound to, or prints a help if the arguments ask for it. Takes one dash
// for two ("-app X", "-app=X"). Throws usage Error.
Parsed parse_arguments(const Parser& parser, const Invocation& invocation);

// own: explains the command's flags and only names those that it shares with others, so that all
// fits a screen. all: explains the shared flags, too.
enum class HelpExtent { own, all };
// Returns a help in lines of at most 80 columns.
std::string help_text(const Parser& parser, HelpExtent extent);

}  // namespace mayfly::cli
