// The control requests that change service tokens and grants while the edge runs.
#pragma once

#include "edge.hpp"

namespace edge {

// POST /service-token: rotates, disables, enables, expires or deletes a service token everywhere it
// is configured. Throws std::runtime_error when there is none of that id.
nlohmann::json change_service_token(Edge& edge, const nlohmann::json& wanted);

// POST /oauth: ends grants, expires access tokens, forgets clients.
nlohmann::json change_grants(Edge& edge, const nlohmann::json& wanted);

// GET /origin: the requests that reached origins, oldest first.
nlohmann::json origin_requests(const Edge& edge, const Request& request);

// Counters by application and by host name.
nlohmann::json describe_traffic(const Stats& stats);

}  // namespace edge
