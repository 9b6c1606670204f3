// The origin's side: what reaches it, and the answers that it gives by itself.
#pragma once

#include "visit.hpp"

namespace edge {

// The request's fields without the credentials that Access takes out.
std::vector<Field> fields_for_origin(const Request& request, const Application& application);

// Notes in the log and in the counters that the request reaches the origin.
void note_origin_request(Visit& visit);

// What the configuration says about this path: the path itself goes before the longest beginning.
const OwnAnswer* find_own_answer(const Visit& visit);
// `earned` are the fields of Access on the answer.
Answer give_own_answer(const OwnAnswer& own, const std::vector<Field>& earned);

}  // namespace edge
