// Whether a date that is wrong here is wrong there too: what the edge's answers say of this
// computer's clock.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace mayfly {

// An answer's Date, just come. The last one counts, for the whole process.
void note_edge_time(std::chrono::sys_seconds theirs);
void forget_edge_time();
bool is_edge_time_known();

// The hint for an error that a wrong clock explains: by how much it is wrong; otherwise
// `if_it_is_right`; or, as long as no answer told, what the clock says.
std::string clock_hint(std::string_view if_it_is_right);

}  // namespace mayfly
