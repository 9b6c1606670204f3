// Runs curl as a child whose output mayfly cleans.
#pragma once

#include <functional>
#include <vector>

#include "access/core/secret.hpp"
#include "cli/curl/curl_guard.hpp"

namespace mayfly::cli {

// Runs become_curl in a child with its outputs led into the pipes, writes their bytes without the
// secrets, and returns curl's exit code. Passes interrupts on to curl; a signal that ends curl ends
// this process, too. become_curl returns only by an Error.
int run_watched_curl(std::vector<CleanedOutput> outputs, const std::vector<Secret>& secrets,
                     const std::function<void()>& become_curl);

}  // namespace mayfly::cli
