#include "cli/doctor/server.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "access/core/text.hpp"
#include "cli/terminal/environment.hpp"
#include "sshconfig/sshd_entry.hpp"
#include "sshgen/authority_keys.hpp"

namespace mayfly::cli::doctor {
namespace {

using sshconfig::EntryCheck;
using Clock = std::chrono::steady_clock;

CheckResult::State state_of(EntryCheck::State state) {
  switch (state) {
    case EntryCheck::State::ok:
      return CheckResult::State::ok;
    case EntryCheck::State::warning:
      return CheckResult::State::warning;
    case EntryCheck::State::failed:
      return CheckResult::State::failed;
    case EntryCheck::State::skipped:
      break;
  }
  return CheckResult::State::skipped;
}

// Throws Error(failed) unless sshd accepts its configuration and may be asked about it.
std::string accepted(const sshconfig::Sshd& sshd) {
  if (::geteuid() != 0)
    throw Error(ErrorKind::failed, "only root can ask sshd about its configuration",
                "run the same command with sudo in front");
  const std::string version = sshd_version(sshd);
  if (const std::string complaint = sshd_complaint(sshd); !complaint.empty())
    throw Error(ErrorKind::failed,
                fmt::format("sshd does not accept {}: {}", printable(sshd.config, 4096), complaint),
                "mend that first; sshd -t tells whether sshd accepts it");
  return fmt::format("{} accepts {}", version.empty() ? "sshd" : version,
                     printable(sshd.config, 4096));
}

std::vector<Check> entry_checks(const ServerTarget& target, const sshconfig::Sshd& sshd) {
  std::vector<Check> checks;
  const std::string principal =
      target.email.empty() ? "" : sshconfig::principal_of_email(target.email);
  for (auto& one : sshconfig::judge_entry(sshconfig::entry_facts({.user = target.user,
                   .principal = principal,
                   .sshd = sshd,
                   .key_types = sshgen::authority_key_types})))
    checks.push_back(
        {one.name, {state_of(one.state), std::move(one.detail), std::move(one.hint)}, {}});
  return checks;
}

}  // namespace

ServerTarget with_default_user(ServerTarget target) {
  if (!target.email.empty()) {
    const std::string principal = sshconfig::principal_of_email(target.email);
    if (target.user.empty()) target.user = principal;
  }
  return target;
}

std::vector<Check> check_server(const ServerTarget& target) {
  const sshconfig::Sshd sshd{sshconfig::find_sshd(variable("PATH")), target.config};
  const auto begin = Clock::now();
  const auto took = [&] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
  };
  try {
    std::vector<Check> checks{{"sshd", well(accepted(sshd)), took()}};
    for (Check& check : entry_checks(target, sshd)) checks.push_back(std::move(check));
    return checks;
  } catch (const Error& error) {
    return {{"sshd", failed(error), took()}};
  }
}

std::string well_sentence(const ServerTarget& target) {
  if (!target.email.empty())
    return fmt::format("sshd lets {} in as {}", printable(target.email), printable(target.user));
  return target.user.empty()
             ? "sshd accepts short-lived certificates"
             : fmt::format("sshd accepts short-lived certificates for {}", printable(target.user));
}

}  // namespace mayfly::cli::doctor
