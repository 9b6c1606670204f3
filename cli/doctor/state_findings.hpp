// What there is to say about the state directory.
#pragma once

#include <string>
#include <vector>

#include "access/system/directory_facts.hpp"
#include "cli/doctor/finding.hpp"

namespace mayfly::cli::doctor {

// orphans: the names of lock files whose login is over.
Finding judge_state(const std::string& path, const DirectoryFacts& facts,
                    const std::vector<std::string>& orphans);
// It is not there yet.
Finding judge_no_state(const std::string& path);

}  // namespace mayfly::cli::doctor
