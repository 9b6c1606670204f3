// `mayfly access ssh-config`: prints the block that makes `ssh host` work.
#include "access/core/error.hpp"
#include "access/core/idn.hpp"
#include "access/core/url.hpp"
#include "cli/arguments.hpp"
#include "cli/environment.hpp"
#include "cli/message.hpp"
#include "cli/network_flags.hpp"
#include "sshconfig/render.hpp"

namespace mayfly::cli {
namespace {

struct SshConfigFlags {
  std::string hostname, user, alias;
  bool short_lived = false;
  NetworkFlags network;
};

void bind(CLI::App& parser, SshConfigFlags& flags, const Invocation& invocation) {
  parser.add_option("--hostname", flags.hostname, "the application");
  parser.add_flag("--short-lived-cert", flags.short_lived, "use short-lived certificates");
  parser.add_option("--user", flags.user, "user name at the server");
  parser.add_option("--alias", flags.alias, "a short name to type after ssh");
  bind_network_flags(parser, flags.network, invocation);
}

sshconfig::BlockOptions block_options(const SshConfigFlags& flags) {
  sshconfig::BlockOptions options;
  options.program = program_path();
  options.host = flags.hostname;
  if (flags.short_lived) options.certificate = sshconfig::BlockOptions::Certificate::short_lived;
  if (!variable("MAYFLY_HOME").empty()) options.state_directory = state_directory_path();
  options.connection_flags = flags.network.repeated();
  if (!flags.user.empty()) options.user = flags.user;
  if (!flags.alias.empty()) options.alias = flags.alias;
  return options;
}

}  // namespace

int run_ssh_config(const Invocation& invocation) {
  SshConfigFlags flags;
  const auto parser = make_parser(
      {.synopsis = "ssh-config [flags] --hostname HOST",
       .description = "Print the block for ~/.ssh/config that makes `ssh HOST` work.",
       .examples = "  mayfly access ssh-config --hostname vm.example.com --short-lived-cert"});
  bind(*parser, flags, invocation);
  if (parse_arguments(*parser, invocation) == Parsed::help_shown) return 0;
  print_product(sshconfig::render_advice(block_options(flags), home_directory()));
  return 0;
}

}  // namespace mayfly::cli
