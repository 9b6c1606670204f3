#include "access/system/forked_child.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>

#include "access/system/descriptor.hpp"
#include "access/system/interrupt.hpp"
#include "access/system/platform.hpp"

namespace mayfly {
namespace {

// While it lives, signals wait: a child takes them once it has handlers of its own.
class BlockedInterrupts {
 public:
  BlockedInterrupts() {
    sigset_t interrupts;
    ::sigemptyset(&interrupts);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&interrupts, number);
    ::sigprocmask(SIG_BLOCK, &interrupts, &before_);
  }
  ~BlockedInterrupts() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  BlockedInterrupts(const BlockedInterrupts&) = delete;
  BlockedInterrupts& operator=(const BlockedInterrupts&) = delete;

 private:
  sigset_t before_{};
};

// Makes this process end when its parent does.
void end_with(pid_t parent) {
  end_with_parent();
  if (::getppid() != parent) ::_exit(0);
}

void lead_to_nothing(int standard) noexcept {
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (nothing) ::dup2(nothing.get(), standard);
}

// Descriptors of ours are closed when a program is executed. Those that this program was started
// with have survived that.
void close_inherited_descriptors() noexcept {
  const long most = std::clamp(::sysconf(_SC_OPEN_MAX), 256L, 65536L);
  for (int fd = STDERR_FILENO + 1; fd < most; ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) ::close(fd);
  }
}

}  // namespace

pid_t fork_to(const ChildWork& work) {
  std::optional<BlockedInterrupts> blocked(std::in_place);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return child;
  catch_interrupts_anew();
  end_with(parent);
  blocked.reset();
  ::_exit(work());
}

bool fork_detached(const ChildWork& work) {
  std::optional<BlockedInterrupts> blocked(std::in_place);
  const pid_t between = ::fork();
  if (between < 0) return false;
  if (between > 0) {
    int status = 0;
    uninterrupted([&] { return ::waitpid(between, &status, 0); });
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : EAGAIN;
    return false;
  }
  ::setsid();
  const pid_t child = ::fork();
  if (child != 0) ::_exit(child < 0 ? errno : 0);
  lead_to_nothing(STDIN_FILENO);
  lead_to_nothing(STDOUT_FILENO);
  close_inherited_descriptors();
  catch_interrupts_anew();
  blocked.reset();
  ::_exit(work());
}

void leave_standard_error() noexcept {
  lead_to_nothing(STDERR_FILENO);
}

}  // namespace mayfly
