#include "access/io/event_loop.hpp"

#include <asio/detail/reactor.hpp>
#include <utility>

namespace mayfly {
namespace {

#if defined(ASIO_HAS_EPOLL)
// Asio does not show the descriptor that its loop waits at. An explicit instantiation may name a
// private member ([temp.spec.general]/6); this does not compile if Asio ever renames it.
template <int asio::detail::epoll_reactor::*member>
struct Shown {
  friend int descriptor_of(asio::detail::epoll_reactor& reactor) { return reactor.*member; }
};
int descriptor_of(asio::detail::epoll_reactor& reactor);
template struct Shown<&asio::detail::epoll_reactor::epoll_fd_>;

int descriptor_of(asio::io_context& loop) {
  return descriptor_of(asio::use_service<asio::detail::epoll_reactor>(loop));
}
#else
int descriptor_of(asio::io_context&) {
  return -1;
}
#endif

}  // namespace

EventLoop::EventLoop(asio::io_context& loop) : loop_(loop), set_(ReadinessSet::make()) {
  if (set_ && !set_->add_loop(descriptor_of(loop))) set_.reset();
}

std::unique_ptr<ReadinessSet::Registration> EventLoop::add(int descriptor, Watcher& watcher) {
  return set_ ? set_->add(descriptor, watcher) : nullptr;
}

void EventLoop::run() {
  if (!set_) {
    loop_.run();
    return;
  }
  while (!loop_.stopped()) {
    if (std::exchange(asio_has_work_, false) || !again_.empty()) loop_.poll();
    if (loop_.stopped()) break;
    call_again();
    const bool is_busy = asio_has_work_ || !again_.empty();
    using Wait = ReadinessSet::Wait;
    if (set_->take(is_busy ? Wait::not_at_all : Wait::until_ready)) asio_has_work_ = true;
  }
}

void EventLoop::call_again() {
  for (const auto& again : std::exchange(again_, {})) again();
}

}  // namespace mayfly
