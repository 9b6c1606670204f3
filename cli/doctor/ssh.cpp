#include "cli/doctor/ssh.hpp"

#include <fmt/core.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "access/core/clock.hpp"
#include "access/core/state_names.hpp"
#include "access/core/text.hpp"
#include "cli/doctor/diagnosis.hpp"
#include "cli/session/session.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/time_text.hpp"
#include "sshconfig/control_path.hpp"
#include "sshconfig/match_exec.hpp"
#include "sshconfig/percent_tokens.hpp"
#include "sshconfig/shell_words.hpp"
#include "sshgen/agent.hpp"
#include "sshgen/own_key.hpp"

namespace mayfly::cli::doctor {
namespace {

using std::chrono::sys_seconds;
using Certificate = SshRoute::Certificate;
using sshconfig::SshAnswer;
using sshconfig::SshSettings;
using Words = std::vector<std::string>;

std::string shown(const Url& url) {
  return printable(url.authority() + url.path);
}

std::string write_hint(const SshTarget& target) {
  return fmt::format("run: mayfly ssh-config --hostname {} --short-lived-cert --write",
                     pasted_word(shown(target.url)));
}

bool is_access_client(const std::string& program) {
  const std::string name = std::filesystem::path(program).filename().string();
  return name == "mayfly" || name == "cloudflared";
}

bool is_same_application(const Url& url, const std::string& named) {
  try {
    const Url other = parse_url(named);
    return other.host == url.host && other.port == url.port &&
           (other.path == "/" ? "" : other.path) == (url.path == "/" ? "" : url.path);
  } catch (const Error&) {
    return false;
  }
}

CheckResult judge_no_way(const SshTarget& target, const SshConfigFacts& facts) {
  const std::string detail =
      fmt::format("{}: no ProxyCommand for {}", facts.answer.version, printable(target.typed));
  return facts.origin == Origin::ssh_server ? warning(detail, write_hint(target))
                                            : not_needed(detail);
}

// Judges the program and the application that it leads to.
std::optional<CheckResult> judge_command(const SshTarget& target, const SshConfigFacts& facts) {
  const std::string program = printable(facts.route.program, 300);
  if (facts.program == ProgramState::missing)
    return failed(fmt::format("the ProxyCommand for {} runs {}, which is not there",
                              printable(target.typed), program),
                  write_hint(target));
  if (!is_access_client(facts.route.program))
    return warning(
        fmt::format("ssh goes to {} by {}, not by mayfly", printable(target.typed), program),
        write_hint(target));
  if (facts.route.leads_to && !is_same_application(target.url, *facts.route.leads_to))
    return failed(fmt::format("the ProxyCommand for {} leads to {}", printable(target.typed),
                              printable(*facts.route.leads_to)),
                  "correct HostName and ProxyCommand; ssh -G shows what they come to");
  return std::nullopt;
}

std::optional<CheckResult> judge_files(const SshTarget& target, const SshRoute& route) {
  if (route.certificate != Certificate::disk && route.certificate != Certificate::own_key)
    return std::nullopt;
  const sshgen::KeyFiles names = sshgen::key_files(target.url);
  const bool is_own = route.certificate == Certificate::own_key;
  const std::string kept = printable(
      target.state_directory + "/" + (is_own ? names.own_certificate : names.certificate), 300);
  if (!route.reads_certificate)
    return failed(route.other_certificate.empty()
                      ? fmt::format("no CertificateFile names {}", kept)
                      : fmt::format("ssh reads the certificate {}, but ssh-gen keeps it as {}",
                                    printable(route.other_certificate, 300), kept),
                  write_hint(target) + "; MAYFLY_HOME has to be the same as then");
  if (!route.reads_key)
    return failed("no IdentityFile names the key of the certificate", write_hint(target));
  if (!route.renews)
    return warning("nothing renews the certificate: no Match exec runs ssh-gen",
                   write_hint(target));
  return std::nullopt;
}

std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

std::optional<CheckResult> judge_control(const ControlFacts& control) {
  using Directory = ControlFacts::Directory;
  if (control.path.empty()) return std::nullopt;
  const std::string shown = printable(control.path, 300);
  if (!control.fits)
    return failed(fmt::format("the ControlPath {} is too long a name for a socket", shown),
                  "run ssh-config --multiplex again, or choose a shorter ControlPath");
  const std::string directory = pasted_word(printable(directory_of(control.path), 300));
  if (control.directory == Directory::missing)
    return failed(fmt::format("the directory of the ControlPath {} is not there", shown),
                  fmt::format("run: mkdir -m 700 {}", directory));
  if (control.directory == Directory::open_to_others)
    return warning(fmt::format("others can use the directory of the ControlPath {}", shown),
                   fmt::format("run: chmod 700 {}", directory));
  return std::nullopt;
}

std::string_view control_text(const ControlFacts& control) {
  if (control.path.empty()) return "";
  return control.is_running ? ", in a shared connection that is open" : ", in a shared connection";
}

std::string_view certificate_text(Certificate certificate) {
  switch (certificate) {
    case Certificate::disk:
      return "short-lived certificate on disk";
    case Certificate::agent:
      return "short-lived certificate in the agent";
    case Certificate::own_key:
      return "certificate for a key of your own";
    case Certificate::none:
      break;
  }
  return "no short-lived certificate";
}

std::string principals_text(const sshgen::Certificate& certificate) {
  std::string all;
  for (const std::string& one : certificate.principals)
    all += (all.empty() ? "" : ", ") + printable(one);
  return all;
}

std::string lasting(const sshgen::Certificate& certificate, sys_seconds now) {
  return fmt::format("for {}, ends in {}", principals_text(certificate),
                     duration_text(certificate.remaining_at(now)));
}

// Expands the tokens of ssh_config(5), TOKENS, that blocks of mayfly use.
std::string expanded(std::string_view text, const SshTarget& target, const SshSettings& settings) {
  return sshconfig::with_tokens(
      text, {{'h', settings.host_name}, {'n', target.typed}, {'d', target.home}});
}

std::string file_path(std::string_view text, const SshTarget& target, const SshSettings& settings) {
  std::string path = expanded(text, target, settings);
  if (path.starts_with("~/")) path.replace(0, 1, target.home);
  return std::filesystem::path(path).lexically_normal().string();
}

// Returns the value of the flag that names the application.
std::optional<std::string> hostname_flag(const Words& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const std::string_view flag :
         {"--hostname", "-hostname", "--tunnel-host", "-tunnel-host", "-T"}) {
      if (words[i] == flag && i + 1 < words.size()) return words[i + 1];
      if (words[i].starts_with(std::string(flag) + "=")) return words[i].substr(flag.size() + 1);
    }
  }
  return std::nullopt;
}

void take_command(SshRoute& route, const SshTarget& target, const SshSettings& settings) {
  const Words words = sshconfig::shell_words(settings.proxy_command);
  route.program = expanded(sshconfig::program_of(words), target, settings);
  if (const auto host = hostname_flag(words)) route.leads_to = expanded(*host, target, settings);
}

void take_files(SshRoute& route, const SshTarget& target, const SshSettings& settings) {
  const sshgen::KeyFiles names = sshgen::key_files(target.url);
  const std::filesystem::path directory(target.state_directory);
  const auto kept = [&](const std::string& name) {
    return (directory / name).lexically_normal().string();
  };
  const bool is_own = route.certificate == Certificate::own_key;
  const StateFile kind = is_own ? StateFile::own_certificate : StateFile::certificate;
  const std::string certificate = kept(is_own ? names.own_certificate : names.certificate);
  const std::string key = is_own ? sshgen::identity_file_of(route.public_key) : kept(names.key);
  for (const std::string& file : settings.identity_files)
    route.reads_key |= file_path(file, target, settings) == key;
  for (const std::string& file : settings.certificate_files) {
    const std::string path = file_path(file, target, settings);
    route.reads_certificate |= path == certificate;
    if (path != certificate && path.ends_with(suffix_of(kind))) route.other_certificate = path;
  }
}

bool asks_for_agent(const std::string& command) {
  const Words words = sshconfig::shell_words(command);
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word == "--agent" || word == "--agent-confirm";
  });
}

// Returns the file of the key that an ssh-gen certifies, or "".
std::string public_key_flag(const std::vector<std::string>& commands) {
  for (const std::string& command : commands) {
    const Words words = sshconfig::shell_words(command);
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] == "--public-key" && i + 1 < words.size()) return words[i + 1];
      if (words[i].starts_with("--public-key=")) return words[i].substr(words[i].find('=') + 1);
    }
  }
  return "";
}

// Returns the home directory that ssh uses: the account's, not HOME.
std::string account_home() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr && entry->pw_dir != nullptr ? entry->pw_dir : home_directory();
}

SshTarget target_of(const Diagnosis& diagnosis) {
  return {.url = diagnosis.url,
          .typed = diagnosis.typed,
          .home = account_home(),
          .state_directory = diagnosis.state_path};
}

// Returns whether the tunnel makes the directory itself.
bool makes_directory(const SshSettings& settings, const std::string& directory) {
  const Words words = sshconfig::shell_words(settings.proxy_command);
  const auto flag = std::find(words.begin(), words.end(), "--control-directory");
  return flag != words.end() && flag + 1 != words.end() && *(flag + 1) == directory;
}

ControlFacts look_at_control(const SshAnswer& answer) {
  using Directory = ControlFacts::Directory;
  ControlFacts facts;
  if (!answer.settings || answer.settings->control_path.empty()) return facts;
  facts.path = answer.settings->control_path;
  facts.fits = sshconfig::fits_socket(facts.path);
  facts.is_running = sshconfig::has_master(facts.path);
  const std::string directory = directory_of(facts.path);
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0)
    facts.directory = makes_directory(*answer.settings, directory) ? Directory::made_by_tunnel
                                                                   : Directory::missing;
  else if (status.st_uid != ::geteuid() || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    facts.directory = Directory::open_to_others;
  else
    facts.directory = Directory::private_to_user;
  return facts;
}

bool can_be_run(const std::string& path) {
  return ::access(path.c_str(), X_OK) == 0;
}

ProgramState look_for(std::string program, const std::string& home) {
  if (program.empty() || program.find_first_of("$`") != std::string::npos)
    return ProgramState::unknown;
  if (program.starts_with("~/")) program.replace(0, 1, home);
  if (program.find('/') != std::string::npos)
    return can_be_run(program) ? ProgramState::there : ProgramState::missing;
  const std::string search = variable("PATH");
  for (const std::string_view folder : split(search, ':'))
    if (can_be_run(std::string(folder) + "/" + program)) return ProgramState::there;
  return ProgramState::missing;
}

}  // namespace

CheckResult judge_ssh_config(const SshTarget& target, const SshConfigFacts& facts) {
  if (facts.answer.version.empty()) return not_needed("ssh is not installed");
  if (!facts.answer.settings)
    return failed(
        "ssh cannot read its configuration: " + facts.answer.complaint,
        fmt::format("mend that file; ssh -G {} tells whether it is read", printable(target.typed)));
  if (facts.route.program.empty()) return judge_no_way(target, facts);
  if (auto result = judge_command(target, facts)) return *result;
  if (auto result = judge_files(target, facts.route)) return *result;
  if (auto result = judge_control(facts.control)) return *result;
  return well(fmt::format("{}: ProxyCommand {}, {}{}", facts.answer.version,
                          printable(facts.route.program, 300),
                          certificate_text(facts.route.certificate), control_text(facts.control)));
}

CheckResult judge_ssh_certificate(const Url& url, const SshRoute& route,
                                  const sshgen::OnDisk& on_disk, sys_seconds now) {
  using State = sshgen::OnDisk::State;
  if (route.certificate == Certificate::agent) return not_needed("it is kept in the agent");
  const std::string renew =
      fmt::format("run: mayfly ssh-gen --hostname {}", pasted_word(shown(url)));
  switch (on_disk.state) {
    case State::valid:
      return well(lasting(*on_disk.certificate, now));
    case State::mismatched:
      return route.renews
                 ? not_needed("its files do not belong together; the next ssh makes new ones")
                 : warning("its files do not belong together", renew);
    case State::ended:
      return route.renews ? not_needed("the last one has ended; the next ssh makes a new one")
             : route.reads_certificate ? warning("it has ended, and ssh does not renew it", renew)
                                       : not_needed("the last one has ended, and ssh uses none");
    case State::absent:
      break;
  }
  if (route.renews) return not_needed("there is none yet; the next ssh makes one");
  return route.reads_certificate ? warning("ssh wants one, and there is none", renew)
                                 : not_needed("ssh uses none for this host");
}

CheckResult judge_agent(const SshRoute& route, const AgentFacts& facts, sys_seconds now) {
  const bool is_wanted = route.certificate == Certificate::agent;
  if (!facts.is_named)
    return is_wanted ? failed("SSH_AUTH_SOCK names no agent, and ssh-gen --agent needs one",
                              "start one with: eval \"$(ssh-agent)\"")
                     : not_needed("SSH_AUTH_SOCK names none");
  if (facts.error && is_wanted) return failed(*facts.error);
  if (facts.error)
    return warning(facts.error->message() + "; ssh does without", facts.error->hint());
  const std::string keys = fmt::format("{} key{}", facts.keys, facts.keys == 1 ? "" : "s");
  if (facts.ours)
    return well(fmt::format("{}, with the certificate {}", keys, lasting(*facts.ours, now)));
  return well(fmt::format(
      "{}, {}", keys,
      is_wanted ? "no certificate yet; the next ssh makes one" : "none of mayfly's for this host"));
}

SshRoute ssh_route(const SshTarget& target, const SshAnswer& answer) {
  SshRoute route;
  if (!answer.settings) return route;
  take_command(route, target, *answer.settings);
  route.public_key = public_key_flag(answer.ssh_gens);
  if (!route.public_key.empty()) route.certificate = Certificate::own_key;
  take_files(route, target, *answer.settings);
  route.renews = !answer.ssh_gens.empty();
  if (route.certificate == Certificate::own_key) return route;
  const bool in_agent = std::any_of(answer.ssh_gens.begin(), answer.ssh_gens.end(), asks_for_agent);
  if (in_agent)
    route.certificate = SshRoute::Certificate::agent;
  else if (route.renews || route.reads_certificate)
    route.certificate = SshRoute::Certificate::disk;
  return route;
}

CheckResult check_ssh_config(Diagnosis& diagnosis) {
  if (diagnosis.typed.empty())
    return not_needed("ssh knows an application on a path by its alias: name that with --alias");
  const SshTarget target = target_of(diagnosis);
  diagnosis.ssh = sshconfig::ask_ssh(
      {.host = diagnosis.typed,
       .variables = sshconfig::match_exec_variables(program_path(), variable("SHELL"))});
  diagnosis.ssh_route = ssh_route(target, diagnosis.ssh);
  return judge_ssh_config(target, {.answer = diagnosis.ssh,
                                   .route = diagnosis.ssh_route,
                                   .program = look_for(diagnosis.ssh_route.program, target.home),
                                   .origin = diagnosis.origin,
                                   .control = look_at_control(diagnosis.ssh)});
}

CheckResult check_ssh_certificate(Diagnosis& diagnosis) {
  sshgen::OnDisk on_disk;
  if (diagnosis.ssh_route.certificate == Certificate::own_key) {
    const sshgen::OwnKey key = sshgen::read_own_key(diagnosis.ssh_route.public_key);
    if (diagnosis.state)
      on_disk = sshgen::look_at_own(*diagnosis.state, sshgen::key_files(diagnosis.url), key, now());
  } else if (diagnosis.state)
    on_disk = sshgen::look_on_disk(*diagnosis.state, diagnosis.url, now());
  return judge_ssh_certificate(diagnosis.url, diagnosis.ssh_route, on_disk, now());
}

CheckResult check_agent(Diagnosis& diagnosis) {
  AgentFacts facts;
  const std::string socket = variable("SSH_AUTH_SOCK");
  facts.is_named = !socket.empty();
  try {
    if (facts.is_named) {
      auto agent = sshgen::Agent::connect(socket, std::chrono::seconds(3));
      facts.keys = agent.identities().size();
      facts.ours = agent.find_valid(sshgen::agent_comment(diagnosis.url), now());
    }
  } catch (const Error& error) {
    facts.error = error;
  }
  return judge_agent(diagnosis.ssh_route, facts, now());
}

}  // namespace mayfly::cli::doctor
