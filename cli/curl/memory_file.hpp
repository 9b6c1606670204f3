// A secret handed to a program that is about to take our place: by descriptor, never in its
// arguments.
#pragma once

#include <string>
#include <string_view>

#include "access/system/descriptor.hpp"

namespace mayfly::cli {

// To the program that this process becomes; whatever is started from now on gets it, too. Throws
// Error(failed) where no program could open it by its path.
void hand_over(const Descriptor& file);
// "/dev/fd/N".
std::string path_of(const Descriptor& file);

}  // namespace mayfly::cli
