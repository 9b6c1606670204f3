// Compares this computer's clock with the answers of verified servers, for the hints of errors that
// a wrong clock explains. The comparison decides nothing, since a server may lie.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace mayfly {

// Remembers the Date of an answer that has just come from a server whose certificate was verified.
// The last such Date counts, for the whole process. host: the server's name, fit to be shown.
void note_edge_time(std::string_view host, std::chrono::sys_seconds theirs);
void forget_edge_time();
bool is_edge_time_known();

// The advice while it is unknown which clock is wrong: the Date of a single server is not enough to
// set a clock by.
inline constexpr std::string_view compare_clock =
    "compare it with another source (timedatectl), and set it if it is wrong";

// Returns the hint for an error that a wrong clock explains: by how much this computer's clock
// differs from the server's, or `if_it_is_right` when both agree. Before any answer came it says
// what this computer's clock says, and then `if_unknown`.
std::string clock_hint(std::string_view if_it_is_right,
                       std::string_view if_unknown = compare_clock);

}  // namespace mayfly
