// `mayfly completion`: prints the script that completes commands, flags and host names in a shell.
#include "access/core/error.hpp"
#include "cli/completion/completion_script.hpp"
#include "cli/completion/known_hostnames.hpp"
#include "cli/environment.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/terminal/message.hpp"
#include "sshconfig/hosts.hpp"
#include "sshgen/inventory.hpp"

namespace mayfly::cli {
namespace {

std::string hostname_lines() {
  Inventory inventory;
  std::vector<std::string> places;
  if (const auto state = StateDirectory::open_existing(state_directory_path())) {
    inventory = take_inventory(*state);
    places = sshgen::places_with_keys(*state);
  }
  const auto configured = sshconfig::configured_hosts(home_directory() + "/.ssh");
  std::string lines;
  for (const std::string& hostname : known_hostnames(inventory, places, configured))
    lines += hostname + "\n";
  return lines;
}

}  // namespace

int run_completion(const Invocation& invocation) {
  std::string shell;
  bool hostnames = false;
  Parser parser({.synopsis = "completion bash|zsh|fish",
                 .description = "Print a completion script for your shell.",
                 .examples = "  source <(mayfly completion bash)\n"
                             "  source <(mayfly completion zsh)\n"
                             "  mayfly completion fish | source"});
  parser.add_option("SHELL", shell, "bash, zsh or fish").one_of({"bash", "zsh", "fish"});
  // What the scripts ask.
  parser.add_flag("--hostnames", hostnames, "").group("");
  if (parse_arguments(parser, invocation) == Parsed::help_shown) return 0;

  if (hostnames) return print_product(hostname_lines()), 0;
  if (shell.empty())
    throw Error(ErrorKind::usage, "which shell? bash, zsh or fish", "run: mayfly completion bash");
  const auto words = command_words(all_commands());
  if (shell == "bash") print_product(bash_completion(words));
  if (shell == "zsh") print_product(zsh_completion(words));
  if (shell == "fish") print_product(fish_completion(words));
  return 0;
}

}  // namespace mayfly::cli
