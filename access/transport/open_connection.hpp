// Something open between a local connection and the edge, as those see it who end it.
#pragma once

namespace mayfly {

class OpenConnection {
 public:
  virtual ~OpenConnection() = default;
  // By signal: lets go in order, over within a second.
  virtual void interrupt() = 0;
};

}  // namespace mayfly
