#include "access/forward/abort_watch.hpp"

#include <poll.h>

namespace mayfly {

void AbortWatch::wake(FirstReady& ready) {
  if (state_ != State::there) return;
  ready.watch(stream_.watched(), WatchedDescriptor::For::wait_error, [this] {
    // Urgent bytes wake too, and would again and again.
    pollfd look{.fd = socket_, .events = 0, .revents = 0};
    state_ = ::poll(&look, 1, 0) > 0 ? State::gone : State::false_alarm;
  });
}

}  // namespace mayfly
