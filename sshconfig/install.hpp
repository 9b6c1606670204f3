// Installing blocks: a file of our own, and one Include line in ~/.ssh/config.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "access/system/bounded_flock.hpp"
#include "sshconfig/edit.hpp"

namespace mayfly::sshconfig {

struct InstallPaths {
  std::string ssh_directory;               // ~/.ssh, absolute; made 0700 when missing
  std::string own_file = "mayfly_config";  // in it
};

struct Change {
  std::string path;
  std::string before, after;
  enum class Kind { create, replace, remove } kind = Kind::replace;
};

// What would be written (for --dry-run): nothing to do is an empty list. Symbolic links are
// followed to a file of the user's own. All throw Error(failed) with a hint when that is not
// possible.
std::vector<Change> plan_install(const InstallPaths& paths, std::string_view host,
                                 std::string_view block);
// host "" removes every block. With the last block our own file goes, the Include line, and a
// config that we had made and that holds nothing else.
std::vector<Change> plan_removal(const InstallPaths& paths, std::string_view host);

// Does it: each file whole or not at all, mode and group kept, in an order that leaves no Include
// of a file that is gone. Refuses a file that is no longer as it was when the plan was made, and
// throws Error(failed) when another process holds the directory's lock for longer than `patience`.
void carry_out(const std::vector<Change>& changes,
               std::chrono::milliseconds patience = usual_flock_patience);

// Takes away what killed commands left next to the files: temporary ones.
void clear_leftovers(const InstallPaths& paths) noexcept;

// The changes as lines with "-" and "+" under the name of each file.
std::string preview(const std::vector<Change>& changes);

}  // namespace mayfly::sshconfig
