// A secret that a person keeps in a file of its own.
#pragma once

#include <string>

#include "access/core/secret.hpp"

namespace mayfly::cli {

// The file's first line. Throws usage Error when it is missing, empty, readable by others, or
// longer than 4 KiB.
Secret read_secret_file(const std::string& path);

}  // namespace mayfly::cli
