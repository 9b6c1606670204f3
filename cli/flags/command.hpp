// A command of mayfly: a row {name, summary, usage, bind, run} in the file of the command.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "cli/flags/arguments.hpp"

namespace mayfly::cli {

struct Command {
  std::string_view name;
  std::string_view summary;  // one line of the program's help
  Usage usage;
  // Runs the command with the flags that parsing has set. Returns the exit code; throws Error.
  using Run = std::function<int(const Invocation&)>;
  // Binds flags with their defaults to the parser, and returns what runs the command with them.
  Run (*bind)(Parser& parser);
  std::vector<std::string_view> aliases = {};
};

// Makes Command::bind of a command's struct of flags and its functions bind() and run().
template <typename Flags, void (*bind)(Parser&, Flags&), int (*run)(Flags&, const Invocation&)>
Command::Run bind_and_run(Parser& parser) {
  const auto flags = std::make_shared<Flags>();
  bind(parser, *flags);
  return [flags](const Invocation& invocation) { return run(*flags, invocation); };
}

}  // namespace mayfly::cli
