// Opening a URL in the person's browser.
#pragma once

#include <string>

namespace mayfly::cli {

// By the first of browser_commands() that works. False when none of them could be started or took
// the URL; the browser's own output goes nowhere, since standard output may be the wire of a
// tunnel.
bool open_in_browser(const std::string& url);

}  // namespace mayfly::cli
