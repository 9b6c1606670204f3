// What a command that listens tells: where, who else can reach it, when it is ready, what failed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access/listen/listener.hpp"

namespace mayfly::cli {

// Fills in where to listen and what to tell of it; announcement: the log's message for each place.
// Throws usage Error for what is no address.
void listen_at(const std::vector<std::string>& places, std::string_view announcement,
               ListenOptions& options);

// For ListenerOptions::ended. A good one is told with -v only.
void log_bad_ending(const Ending& ending);

}  // namespace mayfly::cli
