// `mayfly connect`: makes sure of the certificate, and becomes ssh with what a block would set.
#include <fmt/core.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/child_environment.hpp"
#include "access/system/spawn_settings.hpp"
#include "cli/flags/command.hpp"
#include "cli/flags/network_flags.hpp"
#include "cli/session/calling_ssh.hpp"
#include "cli/session/session.hpp"
#include "cli/ssh/short_lived_certificate.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/message.hpp"
#include "sshconfig/match_exec.hpp"
#include "sshconfig/render.hpp"
#include "sshconfig/ssh_query.hpp"
#include "sshgen/sign.hpp"

namespace mayfly::cli {
namespace {

using Words = std::vector<std::string>;
using sshconfig::BlockOptions;

struct ConnectFlags {
  std::string host;  // for help and completion; a run finds it in `rest`
  Words rest;        // [USER@]HOST and ssh's own arguments
  bool print = false;
  CertificateFlags certificate;
  NetworkFlags network;
};

void bind(Parser& parser, ConnectFlags& flags) {
  parser.add_option("HOST", flags.host, "the application; USER@HOST names the user, too");
  parser.leave_rest_to_program(flags.rest);
  parser.add_flag("--print", flags.print, "print ssh's command line instead of running it");
  bind_certificate(parser, flags.certificate);
  bind_network_flags(parser, flags.network);
}

struct Destination {
  std::string user;  // "" if none is typed
  std::string host;  // as sshconfig::block_host() returns it
};

Destination destination_of(const std::string& typed) {
  const auto at = typed.rfind('@');
  if (at == std::string::npos) return {"", sshconfig::block_host(typed)};
  if (at == 0) throw Error(ErrorKind::usage, "there is no user name before the @");
  return {typed.substr(0, at), sshconfig::block_host(typed.substr(at + 1))};
}

// Returns the valid certificate, perhaps a new one. Returns nullopt and says why if the application
// issues none: the person may have a key of their own.
std::optional<sshgen::Certificate> certificate_for(const Url& url, const ConnectFlags& flags) {
  try {
    if (auto valid = valid_certificate(url, flags.certificate, Tidying::allowed)) return valid;
    Session session({.application = url, .oauth = SessionOptions::Oauth::never}, flags.network);
    return ensure_certificate(session, url, flags.certificate);
  } catch (const sshgen::NoCertificates& error) {
    print_notice(fmt::format("mayfly: {}; ssh tries your own keys\n", error.message()));
    return std::nullopt;
  }
}

void refuse_proxy_password(const TrustFlags& flags) {
  if (flags.proxy.find('@') == std::string::npos) return;
  throw Error(ErrorKind::usage,
              "user name and password of a proxy do not go into ssh's command line",
              "leave --proxy out, and set HTTPS_PROXY to that URL");
}

// Moves the secrets among the flags to variables for ssh's environment, which its ProxyCommand
// inherits: every user can read the words of a command line.
ChildEnvironment::Changes variables_for_secrets(IdentityFlags& identity) {
  ChildEnvironment::Changes variables;
  const auto move = [&](const char* name, std::string& value) {
    variables.emplace_back(name, std::exchange(value, {}));
  };
  if (!identity.service_token_secret.empty() && identity.service_token_secret_file.empty()) {
    move("TUNNEL_SERVICE_TOKEN_ID", identity.service_token_id);
    move("TUNNEL_SERVICE_TOKEN_SECRET", identity.service_token_secret);
  }
  if (is_secret_variable("MAYFLY_CERT", identity.certificate))
    move("MAYFLY_CERT", identity.certificate);
  if (is_secret_variable("MAYFLY_KEY", identity.key)) move("MAYFLY_KEY", identity.key);
  return variables;
}

BlockOptions block_options(const Destination& to, const ConnectFlags& flags, bool is_certified) {
  using Certificate = BlockOptions::Certificate;
  BlockOptions options;
  options.program = program_path();
  options.host = to.host;
  if (is_certified)
    options.certificate =
        is_in_agent(flags.certificate) ? Certificate::agent : Certificate::short_lived;
  if (is_certified && !flags.certificate.public_key.empty()) {
    options.certificate = Certificate::own_key;
    options.own_key = own_key_in_block(flags.certificate.public_key);
  }
  if (!variable("MAYFLY_HOME").empty()) options.state_directory = state_directory_path();
  options.connection_flags = repeated_flags(flags.network);
  return options;
}

// Takes [USER@]HOST and ssh's own arguments.
bool names_ssh_user(Words arguments) {
  arguments.insert(arguments.begin(), "ssh");
  return names_user(arguments);
}

std::string account_name() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry != nullptr ? entry->pw_name : "";
}

// Returns the certificate's principal, which is the user name at the server, if the certificate has
// one alone and the person has named no user: neither here nor in ssh's configuration.
std::optional<std::string> user_by_certificate(const Destination& to, const ConnectFlags& flags,
                                               const sshgen::Certificate& certificate) {
  if (certificate.principals.size() != 1 || names_ssh_user(flags.rest)) return {};
  const std::string& principal = certificate.principals.front();
  const std::string account = account_name();
  if (principal == account) return {};
  const auto answer = sshconfig::ask_ssh(
      {.host = to.host.substr(0, to.host.find('/')),
       .variables = sshconfig::match_exec_variables(program_path(), variable("SHELL"))});
  if (answer.settings && answer.settings->user != account) return {};
  return principal;
}

Words ssh_words(const Destination& to, const Words& settings, const Words& rest) {
  Words words = {"ssh"};
  for (const std::string& setting : settings) words.insert(words.end(), {"-o", setting});
  const std::string host = to.host.substr(0, to.host.find('/'));
  words.push_back(host);
  words.insert(words.end(), rest.begin() + 1, rest.end());
  return words;
}

std::string command_line(const Words& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + pasted_word(word);
  return line + "\n";
}

[[noreturn]] void become_ssh(Words words, const ChildEnvironment::Changes& variables) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  for (const int number : ignored_signals) ::signal(number, SIG_DFL);
  // mayfly runs below ssh and uses the same proxies.
  const ChildEnvironment environment(variables, ChildEnvironment::ProxyPasswords::kept);
  char** const own_environment = std::exchange(environ, const_cast<char**>(environment.get()));
  ::execvp("ssh", pointers.data());
  environ = own_environment;  // that of ssh ends with this function
  const Error reason = system_error("cannot run ssh", errno);
  throw Error(reason.kind(), reason.message(), "install the OpenSSH client");
}

void check_host(const Words& rest) {
  if (!rest.empty() && !rest.front().empty()) return;
  throw Error(ErrorKind::usage, "which host? its name is missing",
              "run: mayfly connect [USER@]HOST; ssh's own options follow the host");
}

int run(ConnectFlags& flags, const Invocation&) {
  check_host(flags.rest);
  refuse_proxy_password(flags.network.trust);
  refuse_oauth(flags.network);
  const Destination to = destination_of(flags.rest.front());
  const Url url = parse_url(to.host);
  const auto certificate = certificate_for(url, flags);
  const auto variables = variables_for_secrets(flags.network.identity);
  BlockOptions options = block_options(to, flags, certificate.has_value());
  if (!to.user.empty())
    options.user = to.user;
  else if (certificate)
    options.user = user_by_certificate(to, flags, *certificate);
  Words words = ssh_words(to, sshconfig::block_settings(options), flags.rest);
  if (flags.print) {
    print_result(command_line(words));
    return 0;
  }
  become_ssh(std::move(words), variables);
}

}  // namespace

Command connect_command() {
  return {.name = "connect",
          .summary = "log in, and become ssh with a short-lived certificate",
          .usage = {.synopsis = "connect [flags] [USER@]HOST [ssh's arguments]",
                    .description = "Make sure of the short-lived certificate, and become ssh. What "
                                   "follows HOST is ssh's.",
                    .examples = "  mayfly connect vm.example.com\n"
                                "  mayfly connect vm.example.com -L 8080:localhost:80 -N\n"
                                "  mayfly connect --print admin@vm.example.com"},
          .bind = bind_and_run<ConnectFlags, bind, run>};
}

}  // namespace mayfly::cli
