#include "sshconfig/ssh_query.hpp"

#include "access/core/text.hpp"
#include "access/system/child_output.hpp"
#include "sshconfig/match_exec.hpp"

namespace mayfly::sshconfig {
namespace {

using How = ChildOutput::How;

std::string value_of(std::string_view value) {
  return value == "none" ? std::string() : std::string(value);
}

void take_setting(SshSettings& settings, std::string_view keyword, std::string_view value) {
  if (keyword == "hostname") settings.host_name = value;
  if (keyword == "user") settings.user = value;
  if (keyword == "proxycommand") settings.proxy_command = value_of(value);
  if (keyword == "proxyjump") settings.proxy_jump = value_of(value);
  if (keyword == "identityfile") settings.identity_files.emplace_back(value);
  if (keyword == "controlpath") settings.control_path = value_of(value);
  if (keyword == "certificatefile") settings.certificate_files.emplace_back(value);
}

// "OpenSSH_9.2p1 Debian-2, OpenSSL 3.0": the program alone.
std::string version_in(std::string_view text) {
  return printable(text.substr(0, text.find_first_of(" ,\r\n")), 60);
}

// What ssh said first; what follows is mostly a sum ("terminating, 1 bad configuration options").
std::string complaint_in(const ChildOutput& output) {
  if (output.how == How::timed_out) return "ssh -G did not end: does a Match exec hang?";
  std::string first;
  for (std::string_view line : split(output.err, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);  // so ssh ends its lines
    if (!trim(line).empty() && noted_match_exec(line).empty() && first.empty())
      first = printable(trim(line), 300);
  }
  return first.empty() ? "ssh -G failed without a word" : first;
}

}  // namespace

SshSettings parse_settings(std::string_view text) {
  SshSettings settings;
  for (const std::string_view line : split(text, '\n')) {
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) continue;
    take_setting(settings, line.substr(0, blank), trim(line.substr(blank + 1)));
  }
  return settings;
}

SshAnswer ask_ssh(const SshQuery& query) {
  SshAnswer answer;
  const ChildOutput version = run_child({.words = {"ssh", "-V"}, .patience = query.patience});
  if (version.how == How::not_found) return answer;
  answer.version = version_in(version.err.empty() ? version.out : version.err);
  const ChildOutput output = run_child({.words = {"ssh", "-T", "-G", "--", query.host},
                                        .variables = query.variables,
                                        .patience = query.patience});
  for (const std::string_view line : split(output.err, '\n')) {
    if (const auto command = noted_match_exec(line); !command.empty())
      answer.ssh_gens.emplace_back(command);
  }
  if (output.how == How::exited && output.exit_code == 0)
    answer.settings = parse_settings(output.out);
  else
    answer.complaint = complaint_in(output);
  return answer;
}

}  // namespace mayfly::sshconfig
