// The origin's side: what reaches it, and the answers that it gives by itself.
#pragma once

#include "visit.hpp"

namespace edge {

// Returns the request's fields without the credentials that Access removes.
std::vector<Field> fields_for_origin(const Request& request, const Application& application);

// Notes in the log and in the counters that the request reaches the origin.
void note_origin_request(Visit& visit);

// Returns the configured answer for this path, or null. The exact path goes before the longest
// pattern.
const OwnAnswer* find_own_answer(const Visit& visit);
// Makes the response, with the header fields `earned` that Access adds.
Answer give_own_answer(const OwnAnswer& own, const std::vector<Field>& earned);

}  // namespace edge
