// The state directory (~/.cloudflared): small files that only their owner can read, each written
// whole or not at all.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/core/error.hpp"
#include "access/core/state_names.hpp"
#include "access/system/descriptor.hpp"

namespace mayfly {

class StateDirectory {
 public:
  // Opens the directory, making it (0700) when it is not there. Follows symbolic links of the
  // user's own. Refuses links and directories of other users, and directories that others can
  // write. Throws Error(failed) with a hint.
  static StateDirectory open(const std::string& path);
  // Like open(), but returns an empty directory if it is absent and cannot be made; writing to that
  // one throws the Error of open(). Throws as open() does if the directory exists and is unusable.
  static StateDirectory open_or_none(const std::string& path);
  static StateDirectory none(Error reason);
  // Like open(), but makes nothing. Returns nullopt if the directory is absent.
  static std::optional<StateDirectory> open_existing(const std::string& path);

  // The functions below take names as file_name() makes them, and throw Error(failed) for a name
  // that would lead out of the directory.
  const std::string& path() const noexcept { return path_; }
  std::string path_of(std::string_view name) const;
  int descriptor() const noexcept { return directory_.get(); }  // -1 for an empty directory

  // Throws the Error of open() if this is an empty directory.
  void require_directory() const;

  struct File {
    std::string content;
    std::chrono::system_clock::time_point modified;
  };
  // Returns a regular file of at most max_bytes, or nullopt if it is absent. Follows no link.
  // Throws Error(failed) if the file cannot be read, is too large, or is no regular file.
  std::optional<File> read(std::string_view name, std::size_t max_bytes = 1 << 20) const;

  // Writes the file whole or not at all: temporary file (0600 whatever the umask), fsync, rename,
  // fsync of the directory. Throws Error(failed), and then the old file is unchanged.
  void write(std::string_view name, std::string_view content) const;

  struct NamedContent {
    std::string name;
    std::string content;
  };
  // Writes every temporary file first, then renames them in the order given. A crash in between
  // leaves the first ones new, so the file that makes the others count goes last.
  void write_all(const std::vector<NamedContent>& files) const;
  // Replaces files that belong together; the file that makes the others count is the last. Removes
  // the old ones first, in the opposite order, so that a crash never leaves files of two sets.
  void replace_set(const std::vector<NamedContent>& files) const;

  // Removes the file. Returns whether it existed.
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
