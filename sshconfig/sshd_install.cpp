#include "sshconfig/sshd_install.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/bounded_flock.hpp"
#include "access/system/directory_listing.hpp"
#include "access/system/owners_umask.hpp"
#include "access/system/temporary_file.hpp"
#include "sshconfig/changes.hpp"
#include "sshconfig/sshd_places.hpp"

namespace mayfly::sshconfig {
namespace {

constexpr mode_t file_mode = 0644;    // sshd reads principals with the rights of the user
constexpr mode_t folder_mode = 0755;  // for the same reason
constexpr std::string_view made_folder_note = "# mayfly: made sshd_config.d\n";

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// Returns whether mayfly made it.
bool make_folder(const std::string& path) {
  const OwnersUmask umask(022);
  if (::mkdir(path.c_str(), folder_mode) == 0) return true;
  if (errno != EEXIST) throw system_error("cannot make the directory " + path, errno);
  return false;
}

// Somebody who can write in one of these folders could put a key of his own there, and sshd ignores
// principals in such a folder (StrictModes).
void require_safe(const std::string& folder) {
  std::string path = resolved(folder);
  while (true) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) throw system_error("cannot look at " + path, errno);
    if (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
      throw Error(ErrorKind::failed,
                  fmt::format("cannot keep keys in {}: others than root can write in {}",
                              printable(folder, 4096), printable(path, 4096)),
                  "keep sshd's configuration in folders of root with mode 0755");
    }
    if (path == "/") return;
    path = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
  }
}

// A file that mayfly alone writes. Throws Error(failed) if somebody else wrote it.
std::optional<ExistingFile> read_own(const std::string& path) {
  if (is_link(path)) {
    throw Error(ErrorKind::failed,
                fmt::format("cannot edit {}: it is a symbolic link", printable(path, 4096)),
                "mayfly did not make it; remove it or rename it");
  }
  auto file = read_existing(path);
  if (file && !has_owner_mark(file->content)) {
    throw Error(ErrorKind::failed,
                fmt::format("cannot edit {}: mayfly did not write it", printable(path, 4096)),
                "rename it, and run the command again");
  }
  return file;
}

struct OwnFile {
  std::string path;
  ExistingFile file;
};

// The files as they are, under a lock.
class Installed {
 public:
  explicit Installed(const Sshd& sshd) : files(sshd_files(sshd.config)) {
    require_safe(files.directory);
    lock_ = open_directory(files.directory);
    lock_exclusively(lock_, files.directory);
    config = read_existing(files.config);
    if (!config) {
      throw Error(ErrorKind::failed, fmt::format("there is no {}", printable(files.config, 4096)),
                  "name sshd's configuration with --file");
    }
    require_safe(split_path(resolved(files.config)).directory);
    clear_leftovers();
    drop_in = read_existing(files.drop_in);
    ca = read_own(files.ca);
    read_principals();
  }

  SshdFiles files;
  std::optional<ExistingFile> config, drop_in, ca;
  std::vector<OwnFile> principals;  // of mayfly

 private:
  void clear_leftovers() const {
    for (const std::string& folder : {files.directory, split_path(resolved(files.config)).directory,
                                      files.drop_in_directory, files.principals_directory})
      if (is_folder(folder)) TemporaryFile::remove_orphans(open_directory(folder).get(), folder);
  }

  void read_principals() {
    if (is_link(files.principals_directory)) {
      throw Error(ErrorKind::failed,
                  fmt::format("cannot keep principals in {}: it is a symbolic link",
                              files.principals_directory),
                  "remove it or rename it");
    }
    if (!is_folder(files.principals_directory)) return;
    require_safe(files.principals_directory);
    const Descriptor folder = open_directory(files.principals_directory);
    for (const std::string& name : list_directory(folder.get(), files.principals_directory)) {
      const std::string path = files.principals_of(name);
      if (is_link(path)) continue;
      if (auto file = read_existing(path); file && has_owner_mark(file->content))
        principals.push_back({path, std::move(*file)});
    }
  }

  Descriptor lock_;
};

// Changes in their order, and the folders that they need.
struct Plan {
  std::vector<Change> changes;
  std::vector<std::string> folders;
};

void remove_file(std::vector<Change>& changes, const std::string& path, const ExistingFile& file) {
  changes.push_back({path, file.content, "", Change::Kind::remove, file.mode});
}

void remove_lines(std::vector<Change>& changes, const std::string& path,
                  const std::optional<ExistingFile>& file) {
  if (!file || !has_sshd_lines(file->content)) return;
  const std::string rest = without_sshd_lines(file->content);
  if (rest.empty())
    remove_file(changes, path, *file);
  else
    add_change(changes, change_to(path, file, rest));
}

// Until sshd knows the lines, no file that they name may be missing; a file goes when no line names
// it any more.
Plan plan_writing(const Installed& now, const SshdWish& wish) {
  Plan plan;
  const SshdFiles& files = now.files;
  if (!wish.principals.empty()) plan.folders.push_back(files.principals_directory);
  std::vector<std::string> wanted;
  for (const UserPrincipals& one : wish.principals) {
    wanted.push_back(files.principals_of(one.user));
    const std::string body = fmt::format("{}\n", fmt::join(one.names, "\n"));
    add_change(plan.changes,
               change_to(wanted.back(), read_own(wanted.back()), with_owner_mark(body), file_mode));
  }
  add_change(plan.changes, change_to(files.ca, now.ca, with_owner_mark(wish.ca_keys), file_mode));
  const std::string lines = sshd_lines(files, wish.principals);
  if (include_of(now.config->content, files.drop_in) == std::string_view::npos) {
    add_change(plan.changes,
               change_to(files.config, now.config, with_sshd_lines(now.config->content, lines)));
    remove_lines(plan.changes, files.drop_in, now.drop_in);
  } else {
    const bool makes_folder = !is_folder(files.drop_in_directory);
    const bool made_folder =
        makes_folder || content_of(now.drop_in).find(made_folder_note) != std::string::npos;
    if (makes_folder) plan.folders.push_back(files.drop_in_directory);
    const std::string noted = std::string(made_folder ? made_folder_note : "") + lines;
    add_change(plan.changes, change_to(files.drop_in, now.drop_in,
                                       with_sshd_lines(content_of(now.drop_in), noted), file_mode));
    remove_lines(plan.changes, files.config, now.config);
  }
  for (const OwnFile& one : now.principals)
    if (std::find(wanted.begin(), wanted.end(), one.path) == wanted.end())
      remove_file(plan.changes, one.path, one.file);
  return plan;
}

// Here `folders` are those to remove, if nothing else is in them.
Plan plan_removal(const Installed& now) {
  Plan plan;
  remove_lines(plan.changes, now.files.config, now.config);
  remove_lines(plan.changes, now.files.drop_in, now.drop_in);
  if (now.ca) remove_file(plan.changes, now.files.ca, *now.ca);
  for (const OwnFile& one : now.principals) remove_file(plan.changes, one.path, one.file);
  plan.folders.push_back(now.files.principals_directory);
  if (content_of(now.drop_in).find(made_folder_note) != std::string::npos)
    plan.folders.push_back(now.files.drop_in_directory);
  return plan;
}

const Change* change_of(const Plan& plan, const std::string& path) {
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
void try_candidate(const Installed& now, const Plan& plan, const SshdWish& wish) {
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

SshdOutcome outcome_of(const Plan& plan) {
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
  const Installed now(wish.sshd);
  if (const std::string complaint = sshd_complaint(wish.sshd); !complaint.empty())
    throw Error(ErrorKind::failed,
                fmt::format("sshd does not accept its present configuration: {}", complaint),
                "mend that first; nothing was changed");
  require_unset(wish.sshd, now.files, wish);
  const Plan plan = plan_writing(now, wish);
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
  const Installed now(sshd);
  const bool can_ask = !sshd.program.empty();
  const std::string before = can_ask ? sshd_complaint(sshd) : "";
  const Plan plan = plan_removal(now);
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
