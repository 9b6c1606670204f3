#include "sshconfig/sshd_install.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/owners_umask.hpp"
#include "access/system/temporary_file.hpp"
#include "sshconfig/sshd_places.hpp"
#include "sshconfig/sshd_plan.hpp"

namespace mayfly::sshconfig {
namespace {

constexpr mode_t folder_mode = 0755;  // sshd reads principals with the rights of the user

// Returns whether mayfly made it.
bool make_folder(const std::string& path) {
  const OwnersUmask umask(022);
  if (::mkdir(path.c_str(), folder_mode) == 0) return true;
  if (errno != EEXIST) throw system_error("cannot make the directory " + path, errno);
  return false;
}

const Change* change_of(const SshdPlan& plan, const std::string& path) {
  for (const Change& change : plan.changes)
    if (change.path == path) return &change;
  return nullptr;
}

// Throws Error(failed) unless sshd has the lines of mayfly in effect for everybody that they are
// for.
void require_effect(const Sshd& sshd, const SshdFiles& files, const SshdWish& wish) {
  const auto require = [&](const SshdSettings& settings, const char* keyword,
                           const std::string& wanted, const std::string& whom) {
    const std::string value = settings.value(to_lower(keyword));
    if (value == wanted) return;
    throw Error(ErrorKind::failed,
                fmt::format("the lines would have no effect{}: sshd takes {} {}", whom, keyword,
                            value.empty() ? "none" : printable(value, 300)),
                setting_hint(files, keyword, value));
  };
  const SshdSettings plain = ask_sshd(sshd, "");
  require(plain, "TrustedUserCAKeys", files.ca, "");
  require(plain, "PubkeyAuthentication", "yes", "");
  for (const UserPrincipals& one : wish.principals) {
    const SshdSettings settings = ask_sshd(sshd, one.user);
    const std::string whom = " for " + one.user;
    require(settings, "TrustedUserCAKeys", files.ca, whom);
    require(settings, "AuthorizedPrincipalsFile", files.principals_of(one.user), whom);
  }
}

// An administrator's own values would lose their effect where ours come first.
void require_unset(const Sshd& sshd, const SshdFiles& files, const SshdWish& wish) {
  const auto require = [&](const SshdSettings& settings, const char* keyword,
                           const std::string& ours, const std::string& whom) {
    const std::string value = settings.value(to_lower(keyword));
    if (value.empty() || value == ours) return;
    throw Error(ErrorKind::failed,
                fmt::format("sshd has {} {}{} already, and takes one value only", keyword,
                            printable(value, 300), whom),
                setting_hint(files, keyword, value));
  };
  require(ask_sshd(sshd, ""), "TrustedUserCAKeys", files.ca, "");
  for (const UserPrincipals& one : wish.principals) {
    const SshdSettings settings = ask_sshd(sshd, one.user);
    require(settings, "TrustedUserCAKeys", files.ca, " for " + one.user);
    require(settings, "AuthorizedPrincipalsFile", files.principals_of(one.user),
            " for " + one.user);
  }
}

[[noreturn]] void refuse(const std::string& complaint) {
  throw Error(ErrorKind::failed,
              fmt::format("sshd does not accept the lines of mayfly: {}", complaint),
              "mayfly sshd-config without --write prints the lines");
}

// Shows sshd the new configuration under temporary names. A kill at any moment thus leaves a
// configuration that sshd has accepted.
void try_candidate(const SshdInstallation& now, const SshdPlan& plan, const SshdWish& wish) {
  const Change* drop_in = change_of(plan, now.files.drop_in);
  const Change* config = change_of(plan, now.files.config);
  std::string text = config != nullptr ? config->after : now.config->content;
  const Descriptor folder = open_directory(now.files.directory);
  TemporaryFile lines(folder.get(), now.files.directory);
  if (drop_in != nullptr && drop_in->kind != Change::Kind::remove) {
    lines.write(drop_in->after, TemporaryFile::Sync::not_needed);
    text.insert(include_of(text, now.files.drop_in), fmt::format("Include {}\n", lines.path()));
  }
  TemporaryFile candidate(folder.get(), now.files.directory);
  candidate.write(text, TemporaryFile::Sync::not_needed);
  const Sshd asked{wish.sshd.program, candidate.path()};
  if (const std::string complaint = sshd_complaint(asked); !complaint.empty()) refuse(complaint);
  require_effect(asked, now.files, wish);
}

void remove_folders(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) ::rmdir(folder.c_str());  // stays if it is not empty
}

// Makes the folders, and removes those that it made unless keep() is called.
class MadeFolders {
 public:
  explicit MadeFolders(const std::vector<std::string>& folders) {
    for (const std::string& folder : folders)
      if (make_folder(folder)) made_.push_back(folder);
  }
  MadeFolders(const MadeFolders&) = delete;
  MadeFolders& operator=(const MadeFolders&) = delete;
  ~MadeFolders() { remove_folders(made_); }
  void keep() { made_.clear(); }

 private:
  std::vector<std::string> made_;
};

SshdOutcome outcome_of(const SshdPlan& plan) {
  SshdOutcome outcome;
  for (const Change& change : plan.changes) outcome.changed.push_back(change.path);
  return outcome;
}

// Carries out the changes, and takes them back if `check` throws.
template <typename CheckAfterwards>
void apply_checked(const std::vector<Change>& changes, const CheckAfterwards& check) {
  apply(changes);
  try {
    check();
  } catch (const Error& error) {
    const bool is_whole = undo(changes);
    std::string hint = error.hint().empty() ? "" : error.hint() + "; ";
    hint += is_whole ? "nothing was changed" : "mayfly could not take its changes back: look at";
    for (const Change& change : changes)
      if (!is_whole) hint += " " + change.path;
    throw Error(error.kind(), error.message(), hint);
  }
}

}  // namespace

SshdOutcome install_in_sshd(const SshdWish& wish) {
  const SshdInstallation now(wish.sshd.config);
  if (const std::string complaint = sshd_complaint(wish.sshd); !complaint.empty())
    throw Error(ErrorKind::failed,
                fmt::format("sshd does not accept its present configuration: {}", complaint),
                "mend that first; nothing was changed");
  require_unset(wish.sshd, now.files, wish);
  const SshdPlan plan = plan_sshd_writing(now, wish.ca_keys, wish.principals);
  try_candidate(now, plan, wish);
  MadeFolders folders(plan.folders);
  apply_checked(plan.changes, [&] {
    if (const std::string complaint = sshd_complaint(wish.sshd); !complaint.empty())
      refuse(complaint);
    require_effect(wish.sshd, now.files, wish);
  });
  folders.keep();
  SshdOutcome outcome = outcome_of(plan);
  outcome.warnings = setting_warnings(now.files);
  if (wish.principals.empty()) remove_folders({now.files.principals_directory});
  return outcome;
}

SshdOutcome remove_from_sshd(const Sshd& sshd) {
  const SshdInstallation now(sshd.config);
  const bool can_ask = !sshd.program.empty();
  const std::string before = can_ask ? sshd_complaint(sshd) : "";
  const SshdPlan plan = plan_sshd_removal(now);
  apply_checked(plan.changes, [&] {
    const std::string complaint = can_ask && before.empty() ? sshd_complaint(sshd) : "";
    if (!complaint.empty())
      throw Error(
          ErrorKind::failed,
          fmt::format("sshd does not accept its configuration without the lines of mayfly: {}",
                      complaint));
  });
  remove_folders(plan.folders);
  SshdOutcome outcome = outcome_of(plan);
  if (!before.empty())
    outcome.warnings.push_back(
        fmt::format("sshd did not accept its configuration before, either: {}", before));
  return outcome;
}

}  // namespace mayfly::sshconfig
