// The names in a directory.
#pragma once

#include <string>
#include <vector>

namespace mayfly {

// Sorted, without "." and "..". Throws Error(failed); path is for its message only.
std::vector<std::string> list_directory(int directory, const std::string& path);

}  // namespace mayfly
