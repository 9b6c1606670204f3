#include "access/core/state_names.hpp"
#include "access/identity/inventory.hpp"
#include "access/system/directory_facts.hpp"
#include "access/system/lock.hpp"
#include "cli/doctor/state_findings.hpp"
#include "cli/doctor/steps.hpp"

namespace mayfly::cli::doctor {
namespace {

std::vector<std::string> orphans_in(const StateDirectory& state) {
  std::vector<std::string> names;
  const auto inventory = take_inventory(state);
  for (const std::string& base : inventory.lock_bases)
    if (look_at_lock(state, base).state == LockHolder::State::gone)
      names.push_back(state_name(StateFile::lock, base));
  return names;
}

}  // namespace

Finding check_state_directory(Case& the_case) {
  the_case.state_is_broken = true;  // until it is seen to be well
  the_case.state = StateDirectory::open_existing(the_case.state_path);
  if (!the_case.state) {
    the_case.state_is_broken = false;
    return judge_no_state(the_case.state_path);
  }
  const DirectoryFacts facts = facts_of(*the_case.state);
  Finding finding = judge_state(the_case.state_path, facts, orphans_in(*the_case.state));
  the_case.state_is_broken = finding.state == Finding::State::failed;
  return finding;
}

}  // namespace mayfly::cli::doctor
