// How doctor's checks are shown: a line each, one that sums up, or JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/doctor/finding.hpp"

namespace mayfly::cli::doctor {

enum class Paint { none, colors };

// State, name, time and detail; what is to be done on a second line.
std::string check_lines(const Check& check, Paint paint);

// What is shown while a check runs, to be overwritten.
std::string running_line(std::string_view name);

// The first that failed; nullptr when none did.
const Check* first_failure(const std::vector<Check>& checks);

// Names the first that failed and what to do, or says that all is well.
std::string summary_line(std::string_view hostname, const std::vector<Check>& checks, Paint paint);

// As mayfly-doctor(1) describes it.
std::string report_json(std::string_view hostname, const std::vector<Check>& checks);

// 0 when nothing failed, else that of the first failure.
int exit_code(const std::vector<Check>& checks);

}  // namespace mayfly::cli::doctor
