// Names that mean this computer whatever a name service says of them (RFC 6761 section 6.3).
#pragma once

#include <string_view>

namespace mayfly {

// Returns whether the name is "localhost" or ends in ".localhost", in any case. A name with the dot
// of the root at its end is none of them, since the rules for the Host of a request would differ.
bool is_loopback_name(std::string_view name);

}  // namespace mayfly
