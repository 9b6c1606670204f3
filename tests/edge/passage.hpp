// A request that was let through to its origin, with all that is needed to serve it.
#pragma once

#include <memory>

#include "visit.hpp"

namespace edge {

struct Passage {
  Edge& edge;
  const Request& request;
  Answer answer;
  ApplicationPointer application;
  std::shared_ptr<Entry> entry;
  std::string ray;
};

}  // namespace edge
