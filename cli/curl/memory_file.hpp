// Hands a secret by a descriptor, never in arguments, to the program that this process becomes.
#pragma once

#include <string>

#include "access/system/descriptor.hpp"

namespace mayfly::cli {

// Lets every program that is started from now on inherit the file. Throws Error(failed) if no
// program could open it by its path.
void hand_over(const Descriptor& file);
// Returns "/dev/fd/N".
std::string path_of(const Descriptor& file);

}  // namespace mayfly::cli
