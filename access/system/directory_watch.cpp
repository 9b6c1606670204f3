#include "access/system/directory_watch.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>

#include "access/core/clock.hpp"
#include "access/system/interrupt.hpp"
#include "access/system/temporary_file.hpp"

namespace mayfly {

DirectoryWatch::DirectoryWatch(int directory)
    : notifier_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!notifier_) return;
  const std::string path = fmt::format("/proc/self/fd/{}", directory);
  ::inotify_add_watch(notifier_.get(), path.c_str(), IN_MOVED_TO | IN_DELETE | IN_CLOSE_WRITE);
}

void DirectoryWatch::wait(std::chrono::milliseconds at_most) const {
  const TimeLimit limit(at_most);
  do {
    pollfd watched[] = {{notifier_.get(), POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
    ::poll(watched, 2, static_cast<int>(limit.left().count()));
  } while (read_events() == Seen::temporary_files && interrupted_by() == 0 && !limit.is_over());
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
