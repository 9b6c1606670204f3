#include "cli/doctor/state.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "access/core/state_names.hpp"
#include "access/core/text.hpp"
#include "access/identity/inventory.hpp"
#include "access/system/directory_facts.hpp"
#include "access/system/lock.hpp"
#include "access/system/ownership.hpp"
#include "cli/doctor/diagnosis.hpp"

namespace mayfly::cli::doctor {
namespace {

using Kind = EntryFacts::Kind;

// Ignores the files of cloudflared's own tunnels.
bool is_ours(const EntryFacts& entry) {
  const auto found = recognise(entry.name);
  return found && found->kind != StateFile::temporary;
}

bool is_secret(const EntryFacts& entry) {
  return stem_of(StateFile::app_token, entry.name) || stem_of(StateFile::oauth_grant, entry.name) ||
         stem_of(StateFile::private_key, entry.name);
}

std::string path_of(const std::string& directory, const std::string& name) {
  return printable(directory + "/" + name, 300);
}

// Returns the first of our files that satisfies the predicate, or nullptr.
template <typename Predicate>
const EntryFacts* first(const DirectoryFacts& facts, Predicate is_so) {
  const auto found =
      std::find_if(facts.entries.begin(), facts.entries.end(),
                   [&](const EntryFacts& entry) { return is_ours(entry) && is_so(entry); });
  return found == facts.entries.end() ? nullptr : &*found;
}

// Returns the failure that keeps mayfly from using the directory.
std::optional<CheckResult> judge_unusable(const std::string& path, const DirectoryFacts& facts) {
  if (!facts.is_writable)
    return failed(fmt::format("{} cannot be written to", printable(path, 300)),
                  "make it writable for you, or name another directory in MAYFLY_HOME");
  if (const auto* link = first(facts, [](const auto& entry) { return entry.kind != Kind::file; }))
    return failed(fmt::format("{} is {}, which is never followed", path_of(path, link->name),
                              link->kind == Kind::link ? "a symbolic link" : "no regular file"),
                  "remove it; the next login makes the file anew");
  if (const auto* foreign = first(facts, [](const auto& entry) { return !entry.is_own; }))
    return failed(foreign_owner("use", path_of(path, foreign->name), foreign->owner));
  return std::nullopt;
}

std::vector<std::string> orphans_in(const StateDirectory& state) {
  std::vector<std::string> names;
  const auto inventory = take_inventory(state);
  for (const std::string& base : inventory.lock_bases)
    if (look_at_lock(state, base).state == LockHolder::State::gone)
      names.push_back(state_name(StateFile::lock, base));
  return names;
}

}  // namespace

CheckResult judge_state(const std::string& path, const DirectoryFacts& facts,
                        const std::vector<std::string>& orphans) {
  const std::string shown = printable(path, 300);
  if (auto unusable = judge_unusable(path, facts)) return *unusable;
  if (const auto* open = first(
          facts, [](const auto& entry) { return is_secret(entry) && entry.is_open_to_others; }))
    return warning(fmt::format("others may read {}", path_of(path, open->name)),
                   fmt::format("run: chmod 600 {}", pasted_word(path_of(path, open->name))));
  if (facts.is_open_to_others)
    return warning(fmt::format("others may look into {}", shown),
                   fmt::format("run: chmod 700 {}", pasted_word(shown)));
  if (!orphans.empty())
    return warning(fmt::format("{} is left of a login that died", path_of(path, orphans.front())),
                   "mayfly clears it by itself, but cloudflared may wait for it; remove it");
  const auto ours = std::count_if(facts.entries.begin(), facts.entries.end(), is_ours);
  return well(fmt::format("{}, {} file{}", shown, ours, ours == 1 ? "" : "s"));
}

CheckResult judge_no_state(const std::string& path) {
  return well(fmt::format("{} is not there yet; the first login makes it", printable(path, 300)));
}

CheckResult check_state_directory(Diagnosis& diagnosis) {
  diagnosis.state_is_broken = true;  // until a check succeeds
  diagnosis.state = StateDirectory::open_existing(diagnosis.state_path);
  if (!diagnosis.state) {
    diagnosis.state_is_broken = false;
    return judge_no_state(diagnosis.state_path);
  }
  diagnosis.logouts.emplace(*diagnosis.state);
  const DirectoryFacts facts = facts_of(*diagnosis.state);
  CheckResult result = judge_state(diagnosis.state_path, facts, orphans_in(*diagnosis.state));
  diagnosis.state_is_broken = result.state == CheckResult::State::failed;
  return result;
}

}  // namespace mayfly::cli::doctor
