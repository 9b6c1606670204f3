#include "access/system/directory_watch.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>

#include "access/system/interrupt.hpp"
#include "access/system/temporary_file.hpp"

namespace mayfly {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

DirectoryWatch::DirectoryWatch(int directory)
    : notifier_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!notifier_) return;
  const std::string path = fmt::format("/proc/self/fd/{}", directory);
  ::inotify_add_watch(notifier_.get(), path.c_str(), IN_MOVED_TO | IN_DELETE | IN_CLOSE_WRITE);
}

void DirectoryWatch::wait(milliseconds at_most) const {
  const auto deadline = steady_clock::now() + at_most;
  do {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    pollfd watched[] = {{notifier_.get(), POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
    ::poll(watched, 2, static_cast<int>(std::max<milliseconds::rep>(left.count(), 0)));
  } while (read_events() == Seen::temporary_files && interrupted_by() == 0 &&
           steady_clock::now() < deadline);
}

DirectoryWatch::Seen DirectoryWatch::read_events() const {
  Seen seen = Seen::nothing;
  alignas(inotify_event) char events[4096];
  ssize_t size = 0;
  while (notifier_ && (size = ::read(notifier_.get(), events, sizeof events)) > 0) {
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(events + at);
      const bool temporary = event->len > 0 && TemporaryFile::is_name(event->name);
      seen = std::max(seen, temporary ? Seen::temporary_files : Seen::something);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
  return seen;
}

}  // namespace mayfly
