#include "cli/process.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace mayfly::cli {

void harden_process() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
#if !defined(MAYFLY_SANITIZED)  // the leak checker has to trace its own process
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace mayfly::cli
