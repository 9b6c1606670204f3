// mayfly: a client for Cloudflare Access.
#include <fmt/format.h>

#include <exception>

#include "access/core/error.hpp"
#include "access/core/interrupt.hpp"
#include "access/core/text.hpp"
#include "cli/command.hpp"
#include "cli/environment.hpp"
#include "cli/match_exec.hpp"
#include "cli/process.hpp"
#include "cli/terminal/message.hpp"
#include "cli/version.hpp"

namespace mayfly::cli {
namespace {

std::string help() {
  std::string text =
      "usage: mayfly [access] COMMAND [flags]\n\nA client for Cloudflare Access.\n\nCommands:\n";
  for (const Command& command : all_commands()) {
    text += fmt::format("  {:<12} {}\n", command.name, command.summary);
  }
  return text +
         "\nRun mayfly COMMAND --help for its flags, and man mayfly for the whole story.\n"
         "\nExamples:\n"
         "  mayfly access ssh-config --hostname vm.example.com --short-lived-cert\n"
         "  mayfly login https://intranet.example.com\n";
}

bool is_help(std::string_view word) {
  return word == "--help" || word == "-h" || word == "-help" || word == "help";
}

bool is_version(std::string_view word) {
  return word == "--version" || word == "-version" || word == "-V" || word == "version";
}

// The words before the command: "access" or "forward", and their one flag.
int dispatch(std::vector<std::string> words) {
  Invocation invocation;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "access" || word == "forward") continue;
    if (word == "--fedramp" || word == "-fedramp") {
      invocation.cloud = Invocation::Cloud::fedramp;
      continue;
    }
    if (is_help(word)) return print_product(as_called(help())), 0;
    if (is_version(word) || (word == "-v" && words.size() == 1))
      return print_product(fmt::format("mayfly {}\n", version)), 0;
    const Command* command = find_command(word);
    if (!command) {
      throw Error(ErrorKind::usage, fmt::format("there is no command {}", printable(word)),
                  "run: mayfly --help");
    }
    invocation.name = word;
    invocation.arguments.assign(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
    return command->run(invocation);
  }
  throw Error(ErrorKind::usage, "which command?", "run: mayfly --help");
}

int run(int argc, char** argv) {
  try {
    if (const auto code = stand_in_for_shell(argc, argv)) return *code;
    harden_process();
    catch_interrupts();
    set_program_name(argc > 0 ? argv[0] : "mayfly");
    std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    hide_secrets(argc, argv);
    return dispatch(std::move(words));
  } catch (const Error& error) {
    print_error(error);
    return static_cast<int>(error.kind());
  } catch (const std::exception& error) {
    print_error(Error(ErrorKind::failed, fmt::format("internal error: {}", printable(error.what())),
                      "this is a fault of mayfly; please report it"));
    return static_cast<int>(ErrorKind::failed);
  }
}

}  // namespace
}  // namespace mayfly::cli

int main(int argc, char** argv) {
  return mayfly::cli::run(argc, argv);
}
