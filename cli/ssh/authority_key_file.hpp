// The public keys of a CA in a file that a flag names.
#pragma once

#include <string>
#include <vector>

namespace mayfly::cli {

// Returns the keys of the file, or of standard input for "-", as lines. Throws Error(failed) if it
// cannot be read, and Error(usage) as parse_authority_keys() does.
std::vector<std::string> read_authority_keys(const std::string& file);

}  // namespace mayfly::cli
