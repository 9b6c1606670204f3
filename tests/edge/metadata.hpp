// The signed answer to "which application is this?".
#pragma once

#include <optional>
#include <string>

#include "visit.hpp"

namespace edge {

// Value of the cf-access-metadata header, spoilt as metadata.* faults want; none: no header.
std::optional<std::string> metadata_for(Visit& visit);

}  // namespace edge
