#include <pwd.h>
#include <unistd.h>

#include "access/core/text.hpp"
#include "cli/doctor/steps.hpp"
#include "cli/environment.hpp"
#include "cli/session.hpp"
#include "sshconfig/match_exec.hpp"
#include "sshgen/agent.hpp"

namespace mayfly::cli::doctor {
namespace {

// ssh asks the account and not HOME.
std::string account_home() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr && entry->pw_dir != nullptr ? entry->pw_dir : home_directory();
}

SshPlaces places_of(const Case& the_case) {
  return {.url = the_case.url,
          .typed = the_case.typed,
          .home = account_home(),
          .state_directory = the_case.state_path};
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

Finding check_ssh_config(Case& the_case) {
  if (the_case.typed.empty())
    return not_needed("ssh knows an application on a path by its alias: name that with --alias");
  const SshPlaces places = places_of(the_case);
  the_case.ssh = sshconfig::ask_ssh(
      {.host = the_case.typed,
       .variables = sshconfig::match_exec_variables(program_path(), variable("SHELL"))});
  the_case.ssh_way = ssh_way(places, the_case.ssh);
  return judge_ssh_config(places, {.answer = the_case.ssh,
                                   .way = the_case.ssh_way,
                                   .program = look_for(the_case.ssh_way.program, places.home),
                                   .origin = the_case.origin});
}

Finding check_ssh_certificate(Case& the_case) {
  sshgen::OnDisk on_disk;
  if (the_case.state) on_disk = sshgen::look_on_disk(*the_case.state, the_case.url, now());
  return judge_ssh_certificate(the_case.url, the_case.ssh_way, on_disk, now());
}

Finding check_agent(Case& the_case) {
  AgentFacts facts;
  const std::string socket = variable("SSH_AUTH_SOCK");
  facts.is_named = !socket.empty();
  try {
    if (facts.is_named) {
      auto agent = sshgen::Agent::connect(socket, std::chrono::seconds(3));
      facts.keys = agent.identities().size();
      facts.ours = agent.find_valid(sshgen::agent_comment(the_case.url), now());
    }
  } catch (const Error& error) {
    facts.error = error;
  }
  return judge_agent(the_case.ssh_way, facts, now());
}

}  // namespace mayfly::cli::doctor
