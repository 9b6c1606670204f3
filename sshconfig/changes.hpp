// Changes of configuration files, which are carried out together or not at all.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "access/system/bounded_flock.hpp"
#include "access/system/descriptor.hpp"

namespace mayfly::sshconfig {

struct Change {
  std::string path;
  std::string before, after;
  enum class Kind { create, replace, remove } kind = Kind::replace;
  mode_t mode = 0600;  // of a created file, also of one that an undoing creates again
};

struct ExistingFile {
  std::string content;
  mode_t mode = 0600;
  gid_t group = 0;
};
// Returns nullopt if the file is absent. Follows a symbolic link. Throws Error(failed) with a hint
// if mayfly must not edit the file: it belongs to another user, is too large, or is no regular
// file, or the link leads to nothing.
std::optional<ExistingFile> read_existing(const std::string& path);
std::string content_of(const std::optional<ExistingFile>& file);

// Returns the change that gives a file this content. A new file gets the mode.
Change change_to(const std::string& path, const std::optional<ExistingFile>& before,
                 std::string after, mode_t mode = 0600);
// Appends a change, unless it would change nothing.
void add_change(std::vector<Change>& changes, Change change);

struct FilePath {
  std::string directory, name;
};
FilePath split_path(const std::string& path);
bool is_link(const std::string& path);
// Returns the path of the file itself, so that a symbolic link to it stays a link. Throws
// Error(failed).
std::string resolved(const std::string& path);
// Throws Error(failed).
Descriptor open_directory(const std::string& path);

// Carries out changes in their order. Replaces each file atomically, and keeps its mode and group.
// If one fails, undoes those before it. Throws Error(failed), also if a file changed since the plan
// was made.
void apply(const std::vector<Change>& changes);
// Undoes changes that were carried out, the last one first. Returns whether it could.
bool undo(const std::vector<Change>& changes) noexcept;

// Does the same as apply() under a lock on the directory of the first change, which it makes if it
// is absent. Throws Error(failed) if another process holds the lock for longer than `patience`.
void carry_out(const std::vector<Change>& changes,
               std::chrono::milliseconds patience = usual_flock_patience);

// Returns the changes of each file as lines that begin with "-" and "+" (for --dry-run).
std::string preview(const std::vector<Change>& changes);

}  // namespace mayfly::sshconfig
