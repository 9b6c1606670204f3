#include "access/system/readiness_set.hpp"

#include <sys/epoll.h>

#include <array>
#include <new>
#include <utility>
#include <vector>

namespace mayfly {
namespace {

struct Entry {
  int descriptor;
  Watcher* watcher;  // nullptr once the registration has ended
};

class EpollSet : public ReadinessSet, public std::enable_shared_from_this<EpollSet> {
 public:
  explicit EpollSet(Descriptor epoll) : epoll_(std::move(epoll)) {}

  std::unique_ptr<Registration> add(int descriptor, Watcher& watcher) override;
  bool add_loop(int descriptor) noexcept override;
  bool take(Wait wait) override;

 private:
  class EpollRegistration : public Registration {
   public:
    EpollRegistration(std::shared_ptr<EpollSet> set, std::unique_ptr<Entry> entry)
        : set_(std::move(set)), entry_(std::move(entry)) {}
    ~EpollRegistration() override { set_->remove(std::move(entry_)); }
    void watch_writing() noexcept override {
      if (watches_writing_) return;
      watches_writing_ = true;
      set_->control(EPOLL_CTL_MOD, *entry_, reading | EPOLLOUT);
    }

   private:
    std::shared_ptr<EpollSet> set_;
    std::unique_ptr<Entry> entry_;
    bool watches_writing_ = false;
  };

  static constexpr unsigned reading = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET;
  static constexpr std::size_t most_events = 128;

  bool control(int operation, Entry& entry, unsigned events) noexcept {
    epoll_event event{.events = events, .data = {.ptr = &entry}};
    return ::epoll_ctl(epoll_.get(), operation, entry.descriptor, &event) == 0;
  }
  void remove(std::unique_ptr<Entry> entry) noexcept;

  Descriptor epoll_;
  std::array<epoll_event, most_events> events_;
  // Ended registrations, which events of this round may still name.
  std::vector<std::unique_ptr<Entry>> ended_;
};

std::unique_ptr<ReadinessSet::Registration> EpollSet::add(int descriptor, Watcher& watcher) {
  auto entry = std::make_unique<Entry>(Entry{descriptor, &watcher});
  if (!control(EPOLL_CTL_ADD, *entry, reading)) return nullptr;
  return std::make_unique<EpollRegistration>(shared_from_this(), std::move(entry));
}

// A forked child may hold a copy of the descriptor, so closing it would not be enough.
void EpollSet::remove(std::unique_ptr<Entry> entry) noexcept {
  control(EPOLL_CTL_DEL, *entry, 0);
  entry->watcher = nullptr;
  ended_.push_back(std::move(entry));
}

bool EpollSet::add_loop(int descriptor) noexcept {
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

bool EpollSet::take(Wait wait) {
  const int timeout = wait == Wait::until_ready ? -1 : 0;
  const int count = uninterrupted([&] {
    return ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(most_events), timeout);
  });
  bool loop_is_ready = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    const auto* entry = static_cast<const Entry*>(event.data.ptr);
    if (entry == nullptr) loop_is_ready = true;
    if (entry == nullptr || entry->watcher == nullptr) continue;
    const bool broken = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
    entry->watcher->on_ready({.readable = (event.events & (EPOLLIN | EPOLLPRI)) != 0 || broken,
                              .writable = (event.events & EPOLLOUT) != 0 || broken,
                              .has_ended = (event.events & EPOLLRDHUP) != 0 || broken,
                              .is_broken = broken,
                              .is_urgent = (event.events & EPOLLPRI) != 0});
  }
  ended_.clear();
  return loop_is_ready;
}

}  // namespace

std::shared_ptr<ReadinessSet> ReadinessSet::make() noexcept try {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return nullptr;
  return std::make_shared<EpollSet>(std::move(epoll));
} catch (const std::bad_alloc&) {
  return nullptr;
}

}  // namespace mayfly
