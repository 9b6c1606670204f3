#include "access/identity/logout.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sodium.h>
#include <sys/file.h>

#include <cerrno>

#include "access/core/error.hpp"

namespace mayfly {
namespace {

constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_mark = 256;
constexpr int patience_ms = 5000, pause_ms = 10;

std::string random_text() {
  return fmt::format("{:08x}{:08x}{:08x}{:08x}\n", randombytes_random(), randombytes_random(),
                     randombytes_random(), randombytes_random());
}

std::vector<std::string> marks_of(const std::vector<std::string>& places) {
  std::vector<std::string> marks;
  for (const std::string& place : places)
    // With a longer name no other file of that place could be either.
    if (auto mark = logout_mark(place); mark.size() <= longest_name)
      marks.push_back(std::move(mark));
  return marks;
}

// Returns nothing if there is no mark. A mark that cannot be read counts as one that stays the
// same.
std::optional<std::string> content_of(const StateDirectory& state, const std::string& mark) {
  try {
    auto file = state.read(mark, longest_mark);
    if (!file) return std::nullopt;
    return std::move(file->content);
  } catch (const Error&) {
    return std::string();
  }
}

Error held_too_long(const StateDirectory& state) {
  return {ErrorKind::failed, fmt::format("another process has held {} for too long", state.path()),
          "end the mayfly that is stopped in the middle of a login or logout, and try again"};
}

// The lock is on the directory itself, opened anew: a forked process would share another's.
Descriptor lock_directory(const StateDirectory& state) {
  Descriptor directory(
      ::openat(state.descriptor(), ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return {};
  for (int waited = 0; ::flock(directory.get(), LOCK_EX | LOCK_NB) != 0; waited += pause_ms) {
    if (errno != EWOULDBLOCK && errno != EINTR) return {};
    if (waited >= patience_ms) throw held_too_long(state);
    ::poll(nullptr, 0, pause_ms);
  }
  return directory;
}

}  // namespace

std::string logout_mark(std::string_view place) {
  return fmt::format("{}-{}", logout_mark_of_all, place);
}

void mark_logout(const StateDirectory& state, const std::vector<std::string>& places) {
  const Descriptor lock = lock_directory(state);
  if (places.empty()) return state.write(logout_mark_of_all, random_text());
  for (const std::string& mark : marks_of(places)) state.write(mark, random_text());
}

LogoutWatch::LogoutWatch(const StateDirectory& state) : state_(state) {
  for (const std::string& name : state.list())
    if (name.starts_with(logout_mark_of_all))
      if (auto content = content_of(state, name)) known_.emplace(name, *std::move(content));
}

bool LogoutWatch::has_logged_out(const std::vector<std::string>& places) const {
  std::vector<std::string> marks = marks_of(places);
  marks.emplace_back(logout_mark_of_all);
  for (const std::string& mark : marks) {
    const auto content = content_of(state_, mark);
    if (!content) continue;
    const auto known = known_.find(mark);
    if (known == known_.end() || known->second != *content) return true;
  }
  return false;
}

Descriptor LogoutWatch::hold() const {
  return lock_directory(state_);
}

void LogoutWatch::end_logout(const std::vector<std::string>& places) const {
  if (known_.empty()) return;
  const Descriptor lock = lock_directory(state_);
  std::vector<std::string> marks = marks_of(places);
  marks.emplace_back(logout_mark_of_all);
  for (const std::string& mark : marks) {
    // Another logout since then has a mark of its own, under the same name.
    const auto known = known_.find(mark);
    if (known != known_.end() && content_of(state_, mark) == known->second) state_.remove(mark);
  }
}

}  // namespace mayfly
