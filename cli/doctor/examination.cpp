#include "cli/doctor/examination.hpp"

#include "access/system/interrupt.hpp"
#include "cli/doctor/case.hpp"
#include "cli/doctor/steps.hpp"
#include "cli/environment.hpp"
#include "cli/terminal/message.hpp"

namespace mayfly::cli::doctor {
namespace {

struct Step {
  std::string_view name;
  Finding (*check)(Case&);
};

// In the order of their needs: the first that fails is the cause.
constexpr Step steps[] = {
    {"state_directory", check_state_directory},
    {"proxy", check_proxy},
    {"dns", check_dns},
    {"tcp_ipv4", check_tcp_ipv4},
    {"tcp_ipv6", check_tcp_ipv6},
    {"tls", check_tls},
    {"clock", check_clock},
    {"application", check_application},
    {"client_certificate", check_client_certificate},
    {"service_token", check_service_token},
    {"token", check_token},
    {"upgrade", check_upgrade},
    {"ssh_banner", check_ssh_banner},
    {"ssh_config", check_ssh_config},
    {"ssh_certificate", check_ssh_certificate},
    {"agent", check_agent},
};

Finding finding_of(const Step& step, Case& the_case) {
  try {
    return step.check(the_case);
  } catch (const Error& error) {
    return failed(error);
  }
}

Check perform(const Step& step, Case& the_case) {
  const auto begin = std::chrono::steady_clock::now();
  Finding finding = finding_of(step, the_case);
  if (interrupted_by() != 0) throw Error(ErrorKind::failed, "interrupted");
  if (finding.state == Finding::State::failed && finding.hint.empty())
    finding.hint = general_hint(finding.kind);
  finding.hint = as_called(std::move(finding.hint));
  const auto took = std::chrono::steady_clock::now() - begin;
  return {step.name, std::move(finding),
          std::chrono::duration_cast<std::chrono::milliseconds>(took)};
}

}  // namespace

std::vector<Check> examine(const Examined& examined, const Watcher& watcher) {
  Case the_case(examined);
  std::vector<Check> checks;
  for (const Step& step : steps) {
    watcher.begins(step.name);
    checks.push_back(perform(step, the_case));
    watcher.ends(checks.back());
  }
  return checks;
}

}  // namespace mayfly::cli::doctor
