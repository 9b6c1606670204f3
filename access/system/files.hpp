// The state directory (~/.cloudflared): small files, whole or not there at all, seen by their owner
// only.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/core/error.hpp"
#include "access/system/descriptor.hpp"

namespace mayfly {

// A file name inside the directory that was put together from names a server or a user chose:
// "/" and "*" become "-" (cloudflared's rule); throws usage Error when the result is empty, begins
// with ".", is longer than 255 bytes or holds a control character.
std::string file_name(std::string_view raw);

class StateDirectory {
 public:
  // Opens the directory, making it (0700) when it is not there. Follows symbolic links of the
  // user's own. Refuses links and directories of other users, and directories that others can
  // write. Throws Error(failed) with a hint.
  static StateDirectory open(const std::string& path);
  // For who can do without: where it is not there and cannot be made, one that has no files; to
  // write there throws the Error that open() had thrown. What is there and cannot be used is
  // refused all the same.
  static StateDirectory open_or_none(const std::string& path);
  static StateDirectory none(Error reason);
  // The same as open(), but nothing is made: nothing comes back when the directory is not there.
  static std::optional<StateDirectory> open_existing(const std::string& path);

  // Names below are single ones, as file_name() makes them; Error(failed) is thrown for any that
  // would lead out of the directory.
  const std::string& path() const noexcept { return path_; }
  std::string path_of(std::string_view name) const;
  int descriptor() const noexcept { return directory_.get(); }  // -1 where there is none

  // Where there is none, throws what open() would have thrown.
  void require_directory() const;

  struct File {
    std::string content;
    std::chrono::system_clock::time_point modified;
  };
  // Regular files of at most max_bytes; links are never followed. Nothing when it is not there.
  // Throws Error(failed) when it is there and cannot be read, is too large, or is no regular file.
  std::optional<File> read(std::string_view name, std::size_t max_bytes = 1 << 20) const;

  // Whole or not at all: temporary file (0600 whatever the umask), fsync, rename, fsync of the
  // directory. Throws Error(failed); then the old file is still there.
  void write(std::string_view name, std::string_view content) const;

  struct NamedContent {
    std::string name;
    std::string content;
  };
  // Writes every temporary file first, then renames them in the order given: a crash in between
  // leaves a prefix of the new files, so the file that makes the others count goes last.
  void write_all(const std::vector<NamedContent>& files) const;
  // For files that belong together, the one that makes the others count last. The old ones go
  // first, in the opposite order: whenever it is cut short, what is there is of one set.
  void replace_set(const std::vector<NamedContent>& files) const;

  // True when it was there.
  bool remove(std::string_view name) const;
  std::vector<std::string> list() const;

 private:
  StateDirectory(std::string path, Descriptor directory)
      : path_(std::move(path)), directory_(std::move(directory)) {}

  StateDirectory(std::string path, Error why_none)
      : path_(std::move(path)), why_none_(std::move(why_none)) {}

  std::vector<class TemporaryFile> written(const std::vector<NamedContent>& files) const;

  std::string path_;
  Descriptor directory_;
  std::optional<Error> why_none_;
};

}  // namespace mayfly
