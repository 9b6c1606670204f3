// The commands that may show a URL to the person, in the order to try them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/login/desktop.hpp"

namespace mayfly::cli {

using Words = std::vector<std::string>;

// preferred: $BROWSER, alternatives between colons, words between spaces, %s for the URL; what the
// person has chosen goes before what the desktop has.
std::vector<Words> browser_commands(const std::string& url, std::string_view preferred,
                                    Desktop desktop);

}  // namespace mayfly::cli
