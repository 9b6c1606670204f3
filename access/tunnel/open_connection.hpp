// Something open between a local connection and the edge, as those see it who end it or look on.
#pragma once

#include <optional>
#include <string>

#include "access/pump/traffic.hpp"

namespace mayfly {

class OpenConnection {
 public:
  virtual ~OpenConnection() = default;
  // By signal: lets go in order, over within a second.
  virtual void interrupt() = 0;

  // Whom it serves; printable.
  virtual std::string name() const { return {}; }
  // Nothing for what is no tunnel, or is over.
  virtual std::optional<Traffic> traffic() const { return std::nullopt; }
  // Pings, so that traffic() knows the round trip when the answer is there.
  virtual void probe() {}
};

}  // namespace mayfly
