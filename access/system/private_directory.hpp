// Directories that only their owner can use.
#pragma once

#include <string>

namespace mayfly {

// Makes the directory (0700 whatever the umask), or takes the one that exists. Throws Error(failed)
// with a hint unless it is a directory of the user's own and no symbolic link, no other user can
// look into it, and no other user but root can replace it. `path` is absolute, and its parent
// exists.
void make_private_directory(const std::string& path);

}  // namespace mayfly
