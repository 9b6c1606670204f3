#include "access/system/bounded_flock.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/file.h>

#include <cerrno>

#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/interrupt.hpp"

namespace mayfly {
namespace {

constexpr std::chrono::milliseconds pause{10};
constexpr std::size_t longest_path = 4096;

}  // namespace

Flock lock_exclusively(const Descriptor& file, const std::string& path,
                       std::chrono::milliseconds patience) {
  const TimeLimit limit(patience);
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return Flock::unsupported;
    if (interrupted_by() != 0) throw Error(ErrorKind::failed, "interrupted");
    if (limit.is_over()) {
      const std::string name = printable(path, longest_path);
      throw Error(ErrorKind::failed, fmt::format("another process has held {} for too long", name),
                  fmt::format("end that process, which fuser {} names, and try again", name));
    }
    pollfd interrupt{.fd = interrupt_descriptor(), .events = POLLIN, .revents = 0};
    ::poll(&interrupt, 1, static_cast<int>(pause.count()));
  }
  return Flock::held;
}

}  // namespace mayfly
