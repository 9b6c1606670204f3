// Starts mayfly, a client for Cloudflare Access, and finds the command of its arguments.
#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <optional>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/child_environment.hpp"
#include "access/system/interrupt.hpp"
#include "cli/commands.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/flags/global_flags.hpp"
#include "cli/process.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/message.hpp"
#include "cli/version.hpp"
#include "sshconfig/match_exec.hpp"

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
  return is_among(word, {"--help", "-h", "-help", "--help-all", "help"});
}

bool is_version(std::string_view word) {
  return is_among(word, {"--version", "-version", "-V", "version"});
}

// Returns the hint that names the program which has the command.
std::string other_cloudflared() {
  const std::string path = other_program("cloudflared");
  if (!path.empty()) return fmt::format("give the path of the real one: {}", printable(path));
  return "install cloudflared for it: https://github.com/cloudflare/cloudflared/releases";
}

// The commands of cloudflared that run or administer a tunnel, or update the program.
bool is_of_cloudflared(std::string_view word) {
  return is_among(word,
                  {"tunnel", "update", "service", "tail", "management", "proxy-dns", "db-connect"});
}

[[noreturn]] void refuse_command(std::string_view word) {
  if (is_of_cloudflared(word))
    throw Error(ErrorKind::usage,
                fmt::format("there is no command \"{}\" here: this is mayfly, a client for "
                            "Cloudflare Access",
                            printable(word)),
                other_cloudflared());
  throw Error(ErrorKind::usage, fmt::format("there is no command \"{}\"", printable(word)),
              "run: mayfly --help");
}

// A flag before the command counts as if it stood behind it, if the command has it.
std::vector<std::string> flags_for(const Command& command, GlobalFlags flags) {
  const Parser parser = parser_of(command);
  std::erase_if(flags, [&](const std::string& flag) {
    return !parser.has_flag(std::string_view(flag).substr(2, flag.find('=') - 2));
  });
  return flags;
}

int run_words(const std::vector<std::string>& words, const GlobalFlags& global) {
  if (const Command* command = find_command(words.front())) {
    Invocation invocation{.name = words.front(), .arguments = flags_for(*command, global)};
    invocation.arguments.insert(invocation.arguments.end(), words.begin() + 1, words.end());
    return run_command(*command, invocation);
  }
  refuse_command(words.front());
}

// Reads the words before the command: "access" or "forward", and global flags.
int dispatch(const std::vector<std::string>& words) {
  GlobalFlags global;
  for (std::size_t i = 0; i < words.size();) {
    const std::string& word = words[i];
    const bool is_last = i + 1 == words.size();
    if (is_help(word)) return print_result(as_called(help())), 0;
    if (is_version(word) || (word == "-v" && is_last))
      return print_result(fmt::format("mayfly {}\n", version)), 0;
    if (word == "access" || word == "forward") {
      ++i;
    } else if (word.starts_with('-')) {
      i = take_global_flag(words, i, global);
    } else {
      return run_words({words.begin() + static_cast<std::ptrdiff_t>(i), words.end()}, global);
    }
  }
  throw Error(ErrorKind::usage, "which command?", "run: mayfly --help");
}

// Doctor makes mayfly the shell that ssh runs Match exec with (sshconfig/match_exec.hpp). Returns
// the exit code for ssh, or nullopt if this process is no such shell; any command but an ssh-gen
// goes to the real shell, and the function does not return.
std::optional<int> stand_in_for_shell(int argc, char** argv) {
  const std::string shell = variable(sshconfig::real_shell_variable);
  if (shell.empty() || argc != 3 || std::string_view(argv[1]) != "-c") return std::nullopt;
  if (sshconfig::makes_certificate(argv[2])) {
    print_notice(sshconfig::match_exec_note(argv[2]));
    return 0;
  }
  ::setenv("SHELL", shell.c_str(), 1);
  ::execl(shell.c_str(), shell.c_str(), "-c", argv[2], static_cast<char*>(nullptr));
  return 127;  // as a shell reports a missing program
}

int run(int argc, char** argv) {
  open_standard_descriptors();
  try {
    if (const auto code = stand_in_for_shell(argc, argv)) return *code;
    harden_process();
    catch_interrupts();
    set_program_name(argc > 0 ? argv[0] : "mayfly");
    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    hide_secrets(argc, argv);
    hide_secret_variables();
    return dispatch(words);
  } catch (const Error& error) {
    print_error(error);
    return static_cast<int>(error.kind());
  } catch (const OutputClosed&) {
    return static_cast<int>(ErrorKind::failed);
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
