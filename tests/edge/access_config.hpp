// The part of the configuration that is about credentials: teams, service tokens, Managed OAuth,
// and the answers that an origin gives itself.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "config.hpp"

namespace edge {

class Members;

// Each reads its keys and throws std::runtime_error that names the key which is wrong.
void read_access(Members& members, Application& application);
void read_access(Members& members, Config& config);

// Each adds the effective values to `result`.
void describe_access(const Application& application, nlohmann::json& result);
void describe_access(const Config& config, nlohmann::json& result);

}  // namespace edge
