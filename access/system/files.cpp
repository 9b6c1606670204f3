#include "access/system/files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/directory_listing.hpp"
#include "access/system/file_time.hpp"
#include "access/system/owners_umask.hpp"
#include "access/system/ownership.hpp"
#include "access/system/platform.hpp"
#include "access/system/temporary_file.hpp"

namespace mayfly {
namespace {

constexpr const char* state_hint =
    "mayfly keeps tokens and keys there; name another directory in MAYFLY_HOME";

void check_directory(const Descriptor& directory, const std::string& path) {
  struct stat status {};
  if (::fstat(directory.get(), &status) != 0) throw system_error("cannot look at " + path, errno);
  if (status.st_uid != ::geteuid()) throw foreign_owner("use", path, status.st_uid);
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    throw Error(ErrorKind::failed, fmt::format("cannot use {}: others can write to it", path),
                fmt::format("run: chmod go-w {}", pasted_word(path)));
  }
}

int make_directory(const std::string& path) {
  const OwnersUmask umask;
  return ::mkdir(path.c_str(), 0700);
}

// A slash at the end would follow a link.
std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// Returns the path that the user's own symbolic link names, or nullopt for another user's link and
// for no link.
std::optional<std::string> target_of_own_link(const std::string& path) {
  const std::string target = read_own_link(path.c_str());
  if (target.empty()) return std::nullopt;
  const std::string named = without_trailing_slashes(target);
  if (named.front() == '/') return named;
  return path.substr(0, path.find_last_of('/') + 1) + named;
}

// Opens the directory, or the one that links of the user's own lead to (dotfiles).
Descriptor open_directory(std::string path) {
  constexpr int most_links = 8;
  for (int followed = 0;; ++followed) {
    Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (directory || (errno != ELOOP && errno != ENOTDIR)) {
      if (!directory && followed > 0) errno = ELOOP;
      return directory;
    }
    const auto target = followed < most_links ? target_of_own_link(path) : std::nullopt;
    if (!target) {
      errno = ELOOP;
      return {};
    }
    path = *target;
  }
}

// Whose the directory is that cannot be opened, if it is another user's.
std::optional<Error> foreign_directory(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
      status.st_uid == ::geteuid())
    return std::nullopt;
  return foreign_owner("use", path, status.st_uid);
}

Error with_state_hint(const Error& error) {
  return {error.kind(), error.message(), error.hint().empty() ? state_hint : error.hint()};
}

Error cannot_open(const std::string& path, int error) {
  if (error == ELOOP || error == ENOTDIR) {
    return Error(ErrorKind::failed,
                 fmt::format("cannot use {}: it is no directory, and no symbolic link of yours to "
                             "a directory of yours",
                             path),
                 state_hint);
  }
  if (const auto foreign = foreign_directory(path); foreign && error == EACCES) return *foreign;
  return with_state_hint(system_error("cannot open " + path, error));
}

// The name as C takes it. What was made by file_name() passes; anything that is not one name inside
// the directory is stopped here whatever the caller did.
std::string one_name(std::string_view name) {
  if (name.empty() || name == "." || name == ".." ||
      name.find_first_of(std::string_view("/\0", 2)) != std::string_view::npos) {
    throw Error(ErrorKind::failed,
                fmt::format("\"{}\" cannot be the name of a stored file", printable(name)));
  }
  return std::string(name);
}

std::string read_content(int file, std::size_t size, const std::string& path) {
  std::string content(size, '\0');
  const auto got = read_all(file, content);
  if (got < 0) throw system_error("cannot read " + path, errno);
  content.resize(static_cast<std::size_t>(got));
  return content;
}

}  // namespace

StateDirectory StateDirectory::open(const std::string& path) {
  StateDirectory directory = open_or_none(path);
  directory.require_directory();
  return directory;
}

StateDirectory StateDirectory::open_or_none(const std::string& given_path) {
  const std::string path = without_trailing_slashes(given_path);
  const int make_error = make_directory(path) == 0 ? 0 : errno;
  Descriptor directory = open_directory(path);
  if (directory) {
    check_directory(directory, path);
    return {path, std::move(directory)};
  }
  const int open_error = errno;
  if (make_error == 0 || make_error == EEXIST) throw cannot_open(path, open_error);
  if (make_error == EROFS && open_error != ENOENT) throw cannot_open(path, open_error);
  return {path, with_state_hint(system_error("cannot make the directory " + path, make_error))};
}

StateDirectory StateDirectory::none(Error reason) {
  return {std::string(), std::move(reason)};
}

void StateDirectory::require_directory() const {
  if (why_none_) throw Error(*why_none_);
}

std::optional<StateDirectory> StateDirectory::open_existing(const std::string& given_path) {
  const std::string path = without_trailing_slashes(given_path);
  Descriptor directory = open_directory(path);
  if (!directory && errno == ENOENT) return std::nullopt;
  if (!directory) throw cannot_open(path, errno);
  check_directory(directory, path);
  return StateDirectory(path, std::move(directory));
}

std::string StateDirectory::path_of(std::string_view name) const {
  return fmt::format("{}/{}", path_, name);
}

std::optional<StateDirectory::File> StateDirectory::read(std::string_view name,
                                                         std::size_t max_bytes) const {
  if (why_none_) return std::nullopt;
  // O_NONBLOCK: a FIFO put there would block the open.
  const Descriptor file(::openat(directory_.get(), one_name(name).c_str(),
                                 O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file && errno == ELOOP) {
    throw Error(ErrorKind::failed,
                fmt::format("cannot read {}: it is a symbolic link", path_of(name)),
                "remove the link; mayfly does not follow links there");
  }
  const int error = errno;
  struct stat status {};
  const int known =
      file ? ::fstat(file.get(), &status)
           : ::fstatat(directory_.get(), one_name(name).c_str(), &status, AT_SYMLINK_NOFOLLOW);
  if (known == 0 && S_ISREG(status.st_mode) && status.st_uid != ::geteuid())
    throw foreign_owner("read", path_of(name), status.st_uid);
  if (!file || known != 0) throw system_error("cannot read " + path_of(name), file ? errno : error);
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::failed,
                fmt::format("cannot read {}: it is no regular file", path_of(name)),
                "remove it, and run the command again");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > max_bytes) {
    throw Error(ErrorKind::failed,
                fmt::format("cannot read {}: {} bytes are too many", path_of(name), size),
                "remove it, and run the command again");
  }
  return File{read_content(file.get(), size, path_of(name)), modified_at(status)};
}

void StateDirectory::write(std::string_view name, std::string_view content) const {
  require_directory();
  const std::string final_name = one_name(name);
  TemporaryFile file(directory_.get(), path_);
  file.write(content);
  file.rename_over(final_name);
  ::fsync(directory_.get());
}

std::vector<TemporaryFile> StateDirectory::written(const std::vector<NamedContent>& files) const {
  require_directory();
  std::vector<TemporaryFile> temporaries;
  temporaries.reserve(files.size());
  for (const NamedContent& file : files) {
    one_name(file.name);
    temporaries.emplace_back(directory_.get(), path_).write(file.content);
  }
  return temporaries;
}

void StateDirectory::write_all(const std::vector<NamedContent>& files) const {
  std::vector<TemporaryFile> temporaries = written(files);
  for (std::size_t i = 0; i < files.size(); ++i) temporaries[i].rename_over(files[i].name);
  ::fsync(directory_.get());
}

void StateDirectory::replace_set(const std::vector<NamedContent>& files) const {
  std::vector<TemporaryFile> temporaries = written(files);
  // The first may stay: its new content takes its place before there is any other.
  for (std::size_t i = files.size(); i-- > 1;) remove(files[i].name);
  for (std::size_t i = 0; i < files.size(); ++i) temporaries[i].rename_over(files[i].name);
  ::fsync(directory_.get());
}

bool StateDirectory::remove(std::string_view name) const {
  if (why_none_) return false;
  if (::unlinkat(directory_.get(), one_name(name).c_str(), 0) == 0) return true;
  if (errno == ENOENT) return false;
  throw system_error("cannot remove " + path_of(name), errno);
}

std::vector<std::string> StateDirectory::list() const {
  if (why_none_) return {};
  return list_directory(directory_.get(), path_);
}

}  // namespace mayfly
