// `mayfly sshd-config`: makes the sshd of this machine accept short-lived certificates.
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "cli/flags/command.hpp"
#include "cli/ssh/authority_key_file.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/message.hpp"
#include "sshconfig/sshd_entry.hpp"
#include "sshconfig/sshd_install.hpp"
#include "sshgen/authority_keys.hpp"

namespace mayfly::cli {
namespace {

constexpr std::string_view reload_notice =
    "now make sshd read its configuration: sudo systemctl reload ssh\n"
    "(some systems call the unit sshd; without systemd, send SIGHUP to sshd)\n"
    "keep this session open until you have seen that a new one works\n";

struct SshdConfigFlags {
  std::string ca, file = "/etc/ssh/sshd_config", check, email;
  std::vector<std::string> principals;
  bool write = false, remove = false;
};

void bind(Parser& parser, SshdConfigFlags& flags) {
  parser.add_option("--ca", flags.ca, "the signer's public key; - reads standard input")
      .type_name("FILE");
  parser.add_option("--principals", flags.principals, "who may enter as USER: USER=NAME[,NAME...]")
      .type_name("USER=NAMES");
  parser.add_option("--file", flags.file, "another sshd_config").type_name("FILE");
  const auto write = parser.add_flag("--write", flags.write, "install key and lines for sshd");
  const auto remove =
      parser.add_flag("--remove", flags.remove, "take key and lines out again").excludes(write);
  parser.add_option("--check", flags.check, "say whether the person of --as may enter as USER")
      .type_name("USER")
      .excludes(write)
      .excludes(remove);
  parser.add_option("--as", flags.email, "with --check: the address that the person logs in with")
      .type_name("EMAIL");
}

std::vector<std::string> ca_lines(const SshdConfigFlags& flags) {
  if (flags.ca.empty())
    throw Error(ErrorKind::usage, "which key? sshd-config needs --ca",
                "copy the public key from the dashboard (Access > Service Auth > SSH) into a file, "
                "and give --ca FILE, or --ca - to paste it");
  return read_authority_keys(flags.ca);
}

// Root alone may write sshd's files and read what sshd -T reads.
void require_root() {
  if (::geteuid() == 0) return;
  throw Error(ErrorKind::failed, "only root can change or check the configuration of sshd",
              "run the same command with sudo in front");
}

sshconfig::Sshd sshd_of(const SshdConfigFlags& flags) {
  return {sshconfig::find_sshd(variable("PATH")), absolute_path(flags.file)};
}

void report(const sshconfig::SshdOutcome& outcome) {
  for (const std::string& path : outcome.changed) print_notice(fmt::format("changed {}\n", path));
  for (const std::string& warning : outcome.warnings) print_warning(warning);
  print_notice(outcome.changed.empty() ? "nothing to change\n" : reload_notice);
}

void warn_of_missing_accounts(const std::vector<sshconfig::UserPrincipals>& principals) {
  for (const auto& one : principals)
    if (::getpwnam(one.user.c_str()) == nullptr)
      print_warning(fmt::format("there is no account {} on this machine", one.user));
}

// Prints lines that sshd takes as they are: the files go into comments.
void print_lines(const SshdConfigFlags& flags) {
  const auto files = sshconfig::sshd_files(absolute_path(flags.file));
  const auto principals = sshconfig::parse_principals(flags.principals);
  std::string text = fmt::format("# Save this in {} (mode 0644):\n", files.ca);
  for (const std::string& line : ca_lines(flags)) text += fmt::format("#   {}\n", line);
  for (const auto& one : principals) {
    text += fmt::format("# Save this in {} (mode 0644):\n", files.principals_of(one.user));
    for (const std::string& name : one.names) text += fmt::format("#   {}\n", name);
  }
  print_result(text + fmt::format("# Add this to {}, before any Match:\n{}", files.config,
                                  sshconfig::sshd_lines(files, principals)));
}

void write(const SshdConfigFlags& flags) {
  const auto principals = sshconfig::parse_principals(flags.principals);
  const auto lines = ca_lines(flags);
  require_root();
  const auto outcome =
      sshconfig::install_in_sshd({.sshd = sshd_of(flags),
                                  .ca_keys = fmt::format("{}\n", fmt::join(lines, "\n")),
                                  .principals = principals});
  warn_of_missing_accounts(principals);
  report(outcome);
}

void remove(const SshdConfigFlags& flags) {
  if (!flags.ca.empty() || !flags.principals.empty())
    throw Error(ErrorKind::usage, "--remove takes out all lines of mayfly",
                "leave out --ca and --principals");
  require_root();
  report(sshconfig::remove_from_sshd(sshd_of(flags)));
}

// Throws the first check that failed as an Error.
void check(const SshdConfigFlags& flags) {
  const std::string principal = sshconfig::principal_of_email(flags.email);
  require_root();
  const std::string who = printable(flags.email), user = printable(flags.check);
  const auto checks =
      sshconfig::judge_entry(sshconfig::entry_facts({.user = flags.check,
                                                     .principal = principal,
                                                     .sshd = sshd_of(flags),
                                                     .key_types = sshgen::authority_key_types}));
  for (const auto& one : checks) {
    if (one.state == sshconfig::EntryCheck::State::failed)
      throw Error(ErrorKind::failed,
                  fmt::format("{} may not enter as {}: {}", who, user, one.detail), one.hint);
  }
  for (const auto& one : checks)
    if (one.state == sshconfig::EntryCheck::State::warning)
      print_warning(fmt::format("{}; {}", one.detail, one.hint));
  print_result(fmt::format("{} may enter as {}\n", who, user));
}

void check_usage(const SshdConfigFlags& flags) {
  if (flags.check.empty() != flags.email.empty())
    throw Error(ErrorKind::usage, "--check and --as go together",
                "run: sudo mayfly sshd-config --check USER --as EMAIL");
  if (!flags.check.empty() && (!flags.ca.empty() || !flags.principals.empty()))
    throw Error(ErrorKind::usage, "--check asks about the lines that are installed",
                "leave out --ca and --principals");
}

int run(SshdConfigFlags& flags, const Invocation&) {
  check_usage(flags);
  if (!flags.check.empty())
    check(flags);
  else if (flags.remove)
    remove(flags);
  else if (flags.write)
    write(flags);
  else
    print_lines(flags);
  return 0;
}

}  // namespace

Command sshd_config_command() {
  return {
      .name = "sshd-config",
      .summary = "make this machine's sshd accept short-lived certificates",
      .usage = {.synopsis = "sshd-config [flags]",
                .description =
                    "For the administrator of a server: print the lines for sshd that trust "
                    "the signing key of an application, or install them.",
                .examples =
                    "  sudo mayfly sshd-config --ca - --write\n"
                    "  sudo mayfly sshd-config --ca ca.pub --principals deploy=jdoe,ann --write\n"
                    "  sudo mayfly sshd-config --check deploy --as jdoe@example.com"},
      .bind = bind_and_run<SshdConfigFlags, bind, run>};
}

}  // namespace mayfly::cli
