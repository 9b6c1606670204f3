// Files that lines are appended to: logs and statistics.
#pragma once

#include <string>

#include "access/system/descriptor.hpp"

namespace mayfly {

// Opens a file to append to. A new one has the mode 0600 from its first moment, whatever the umask.
// Follows a symbolic link only if it belongs to root or to us (/dev/stderr is one), and to a file
// that is there. Returns an empty Descriptor if the file cannot be opened; errno says why.
Descriptor open_appended_file(const std::string& path);

}  // namespace mayfly
