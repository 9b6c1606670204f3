// The result of the check of the state directory.
#pragma once

#include <string>
#include <vector>

#include "access/system/directory_facts.hpp"
#include "cli/doctor/check.hpp"

namespace mayfly::cli::doctor {

// orphans: the names of lock files whose process is gone.
CheckResult judge_state(const std::string& path, const DirectoryFacts& facts,
                        const std::vector<std::string>& orphans);
// Judges that the directory does not exist yet.
CheckResult judge_no_state(const std::string& path);

}  // namespace mayfly::cli::doctor
