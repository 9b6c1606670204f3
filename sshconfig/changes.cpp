#include "sshconfig/changes.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "access/core/error.hpp"
#include "access/core/release.hpp"
#include "access/core/text.hpp"
#include "access/system/owners_umask.hpp"
#include "access/system/temporary_file.hpp"

namespace mayfly::sshconfig {
namespace {

// More than any real ssh_config has.
constexpr std::size_t max_bytes = 4 << 20;

Error cannot_edit(const std::string& path, std::string_view why) {
  return Error(ErrorKind::failed, fmt::format("cannot edit {}: {}", printable(path, 4096), why),
               "edit it yourself; without --write the command prints the lines");
}

std::string read_at_most(const Descriptor& file, const std::string& path) {
  std::string content(max_bytes + 1, '\0');
  const std::ptrdiff_t got = read_all(file.get(), content);
  if (got < 0) throw system_error("cannot read " + path, errno);
  content.resize(static_cast<std::size_t>(got));
  if (content.size() > max_bytes) throw cannot_edit(path, "it is too large");
  return content;
}

void make_directory(const std::string& path) {
  const OwnersUmask umask;
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    throw system_error("cannot make the directory " + path, errno);
}

// A file system without modes, on which every file has the same one, is no error.
void set_mode(const Descriptor& file, mode_t mode, const FilePath& path) {
  struct stat status {};
  if (::fchmod(file.get(), mode) == 0) return;
  const int error = errno;
  if (::fstat(file.get(), &status) != 0 || (status.st_mode & 07777U) != mode)
    throw system_error("cannot write in " + path.directory, error);
}

void replace(const FilePath& path, const Change& change,
             const std::optional<ExistingFile>& before) {
  const Descriptor directory = open_directory(path.directory);
  TemporaryFile temporary(directory.get(), path.directory);
  temporary.write(change.after);
  const Descriptor file = temporary.release();
  if (before) {
    // The group is set before the mode, since fchown clears mode bits. EPERM: the user is not in
    // that group, and the file keeps the user's own.
    if (::fchown(file.get(), static_cast<uid_t>(-1), before->group) != 0 && errno != EPERM) {
      throw system_error("cannot write in " + path.directory, errno);
    }
    set_mode(file, before->mode, path);
    temporary.rename_over(path.name);
  } else {
    set_mode(file, change.mode, path);
    if (!temporary.rename_to_free(path.name))
      throw cannot_edit(path.directory + "/" + path.name, "another program created it just now");
  }
  ::fsync(directory.get());
}

void carry_out_one(const Change& change) {
  const std::optional<ExistingFile> now = read_existing(change.path);
  if (content_of(now) != change.before || !now != (change.kind == Change::Kind::create)) {
    throw Error(ErrorKind::failed,
                fmt::format("cannot edit {}: it changed in the meantime", change.path),
                "run the command again");
  }
  if (change.kind == Change::Kind::remove) {
    if (::unlink(change.path.c_str()) != 0)
      throw system_error("cannot remove " + change.path, errno);
    return;
  }
  replace(split_path(now ? resolved(change.path) : change.path), change, now);
}

std::string marked(char mark, const std::vector<std::string_view>& lines) {
  std::string result;
  for (const std::string_view line : lines) {
    result += fmt::format("{}{}\n", mark, printable(line, 4096));
  }
  return result;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  if (text.empty()) return {};
  if (text.back() == '\n') text.remove_suffix(1);
  return split(text, '\n');
}

// Returns the lines that differ. Each change is in one place, so the common lines at both ends are
// left out.
std::string difference(std::string_view before, std::string_view after) {
  std::vector<std::string_view> old_lines = lines_of(before), new_lines = lines_of(after);
  const auto [old_first, new_first] =
      std::mismatch(old_lines.begin(), old_lines.end(), new_lines.begin(), new_lines.end());
  old_lines.erase(old_lines.begin(), old_first);
  new_lines.erase(new_lines.begin(), new_first);
  while (!old_lines.empty() && !new_lines.empty() && old_lines.back() == new_lines.back()) {
    old_lines.pop_back();
    new_lines.pop_back();
  }
  return marked('-', old_lines) + marked('+', new_lines);
}

std::string_view verb(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::create:
      return "create";
    case Change::Kind::replace:
      return "edit";
    case Change::Kind::remove:
      break;
  }
  return "remove";
}

// A file that is a mount point (a container's volume) cannot be replaced, and a read-only one not
// at all.
constexpr std::string_view mounted_hint =
    "if the file is mounted by itself or read-only, change it where it comes from: without --write "
    "the command prints the lines";

}  // namespace

bool is_link(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

FilePath split_path(const std::string& path) {
  const auto slash = path.rfind('/');
  return {path.substr(0, slash), path.substr(slash + 1)};
}

std::string resolved(const std::string& path) {
  const std::unique_ptr<char, Release<std::free>> real(::realpath(path.c_str(), nullptr));
  if (!real) throw system_error("cannot edit " + path, errno);
  return real.get();
}

Descriptor open_directory(const std::string& path) {
  Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) throw system_error("cannot open " + path, errno);
  return directory;
}

std::optional<ExistingFile> read_existing(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file && errno == ENOENT) {
    if (is_link(path)) throw cannot_edit(path, "it is a symbolic link to nothing");
    return std::nullopt;
  }
  if (!file) throw system_error("cannot read " + path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw system_error("cannot read " + path, errno);
  if (!S_ISREG(status.st_mode)) throw cannot_edit(path, "it is not a regular file");
  if (status.st_uid != ::geteuid()) throw cannot_edit(path, "it belongs to another user");
  return ExistingFile{read_at_most(file, path), status.st_mode & 07777U, status.st_gid};
}

std::string content_of(const std::optional<ExistingFile>& file) {
  return file ? file->content : "";
}

void add_change(std::vector<Change>& changes, Change change) {
  const bool same = change.kind == Change::Kind::replace && change.before == change.after;
  if (!same) changes.push_back(std::move(change));
}

Change change_to(const std::string& path, const std::optional<ExistingFile>& before,
                 std::string after, mode_t mode) {
  return {path, content_of(before), std::move(after),
          before ? Change::Kind::replace : Change::Kind::create, before ? before->mode : mode};
}

bool undo(const std::vector<Change>& changes) noexcept {
  using Kind = Change::Kind;
  try {
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
      const Kind kind = change->kind == Kind::create   ? Kind::remove
                        : change->kind == Kind::remove ? Kind::create
                                                       : Kind::replace;
      carry_out_one({change->path, change->after, change->before, kind, change->mode});
    }
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void apply(const std::vector<Change>& changes) {
  for (auto change = changes.begin(); change != changes.end(); ++change) try {
      carry_out_one(*change);
    } catch (const Error& error) {
      const bool is_whole = undo({changes.begin(), change});
      throw Error(error.kind(), error.message(),
                  fmt::format("{}{}", error.hint().empty() ? mounted_hint : error.hint(),
                              is_whole ? "; nothing was changed" : ""));
    }
}

void carry_out(const std::vector<Change>& changes, std::chrono::milliseconds patience) {
  if (changes.empty()) return;
  const std::string directory = split_path(changes.front().path).directory;
  make_directory(directory);
  // One mayfly at a time. Where nothing can be locked, a file that has changed is refused all the
  // same.
  const Descriptor lock = open_directory(directory);
  lock_exclusively(lock, directory, patience);
  apply(changes);
  ::fsync(lock.get());
}

std::string preview(const std::vector<Change>& changes) {
  std::string result;
  for (const Change& change : changes) {
    result += fmt::format("{} {}\n", verb(change.kind), printable(change.path, 4096));
    result += difference(change.before, change.after);
  }
  return result;
}

}  // namespace mayfly::sshconfig
