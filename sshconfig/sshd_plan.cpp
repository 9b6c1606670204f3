#include "sshconfig/sshd_plan.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/bounded_flock.hpp"
#include "access/system/directory_listing.hpp"
#include "access/system/temporary_file.hpp"

namespace mayfly::sshconfig {
namespace {

constexpr mode_t file_mode = 0644;  // sshd reads principals with the rights of the user
constexpr std::string_view made_folder_note = "# mayfly: made sshd_config.d\n";

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
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
    path.resize(std::max<std::size_t>(path.rfind('/'), 1));
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

}  // namespace

SshdInstallation::SshdInstallation(const std::string& config_path)
    : files(sshd_files(config_path)) {
  require_safe(files.directory);
  lock_ = open_directory(files.directory);
  lock_exclusively(lock_, files.directory);
  config = read_existing(files.config);
  if (!config) {
    throw Error(ErrorKind::failed, fmt::format("there is no {}", printable(files.config, 4096)),
                "name sshd's configuration with --file");
  }
  require_safe(split_path(resolved(files.config)).directory);
  if (is_folder(files.drop_in_directory)) require_safe(files.drop_in_directory);
  clear_leftovers();
  drop_in = read_existing(files.drop_in);
  ca = read_own(files.ca);
  read_principals();
}

void SshdInstallation::clear_leftovers() const {
  for (const std::string& folder : {files.directory, split_path(resolved(files.config)).directory,
                                    files.drop_in_directory, files.principals_directory})
    if (is_folder(folder)) TemporaryFile::remove_orphans(open_directory(folder).get(), folder);
}

void SshdInstallation::read_principals() {
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

SshdPlan plan_sshd_writing(const SshdInstallation& now, std::string_view ca_keys,
                           const std::vector<UserPrincipals>& principals) {
  SshdPlan plan;
  const SshdFiles& files = now.files;
  if (!principals.empty()) plan.folders.push_back(files.principals_directory);
  std::vector<std::string> wanted;
  for (const UserPrincipals& one : principals) {
    wanted.push_back(files.principals_of(one.user));
    const std::string body = fmt::format("{}\n", fmt::join(one.names, "\n"));
    add_change(plan.changes,
               change_to(wanted.back(), read_own(wanted.back()), with_owner_mark(body), file_mode));
  }
  add_change(plan.changes, change_to(files.ca, now.ca, with_owner_mark(ca_keys), file_mode));
  const std::string lines = sshd_lines(files, principals);
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
  for (const auto& one : now.principals)
    if (std::find(wanted.begin(), wanted.end(), one.path) == wanted.end())
      remove_file(plan.changes, one.path, one.file);
  return plan;
}

SshdPlan plan_sshd_removal(const SshdInstallation& now) {
  SshdPlan plan;
  remove_lines(plan.changes, now.files.config, now.config);
  remove_lines(plan.changes, now.files.drop_in, now.drop_in);
  if (now.ca) remove_file(plan.changes, now.files.ca, *now.ca);
  for (const auto& one : now.principals) remove_file(plan.changes, one.path, one.file);
  plan.folders.push_back(now.files.principals_directory);
  if (content_of(now.drop_in).find(made_folder_note) != std::string::npos)
    plan.folders.push_back(now.files.drop_in_directory);
  return plan;
}

}  // namespace mayfly::sshconfig
