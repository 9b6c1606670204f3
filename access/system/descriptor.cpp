#include "access/system/descriptor.hpp"

#include <unistd.h>

namespace mayfly {

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace mayfly
