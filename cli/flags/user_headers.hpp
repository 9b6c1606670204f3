// The headers that the person adds with --header.
#pragma once

#include <string>
#include <vector>

#include "access/curl/http.hpp"

namespace mayfly::cli {

// Lines "Name: value". Throws usage Error.
Headers user_headers(const std::vector<std::string>& lines);

}  // namespace mayfly::cli
