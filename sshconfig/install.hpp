// Installs blocks in a file of our own, which one Include line in ~/.ssh/config names.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "access/system/bounded_flock.hpp"
#include "sshconfig/edit.hpp"

namespace mayfly::sshconfig {

struct InstallPaths {
  std::string ssh_directory;               // ~/.ssh, absolute; created with mode 0700 if absent
  std::string own_file = "mayfly_config";  // in it
};

struct Change {
  std::string path;
  std::string before, after;
  enum class Kind { create, replace, remove } kind = Kind::replace;
};

// Returns the changes that add the block; an empty list if nothing has to change. Follows a
// symbolic link if it leads to a file of the user. Both plans throw Error(failed) with a hint if a
// file cannot be edited.
std::vector<Change> plan_install(const InstallPaths& paths, std::string_view host,
                                 std::string_view block);
// Returns the changes that remove the block for `host`, or every block for "". With the last block
// they remove our own file, the Include line, and ~/.ssh/config if we had created it and nothing
// else is in it.
std::vector<Change> plan_removal(const InstallPaths& paths, std::string_view host);

// Carries out a plan. Replaces each file atomically, keeps its mode and group, and works in an
// order in which Include never names an absent file. Throws Error(failed) if a file changed since
// the plan was made, and if another process holds the directory's lock for longer than `patience`.
void carry_out(const std::vector<Change>& changes,
               std::chrono::milliseconds patience = usual_flock_patience);

// Removes temporary files that killed commands left beside the two files.
void clear_leftovers(const InstallPaths& paths) noexcept;

// Returns the changes of each file as lines that begin with "-" and "+" (for --dry-run).
std::string preview(const std::vector<Change>& changes);

}  // namespace mayfly::sshconfig
