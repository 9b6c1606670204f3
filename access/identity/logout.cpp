#include "access/identity/logout.hpp"

#include <fmt/core.h>
#include <sodium.h>

#include <algorithm>

#include "access/core/error.hpp"
#include "access/system/descriptor.hpp"

namespace mayfly {
namespace {

constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_mark = 1 << 20;

std::string random_text() {
  return fmt::format("{:08x}{:08x}{:08x}{:08x}\n", randombytes_random(), randombytes_random(),
                     randombytes_random(), randombytes_random());
}

std::vector<std::string> marks_of(const std::vector<std::string>& places) {
  std::vector<std::string> marks;
  for (const std::string& place : places)
    // If the mark's name is too long, no other state file of the place can exist either.
    if (auto mark = logout_mark(place); mark.size() <= longest_name)
      marks.push_back(std::move(mark));
  return marks;
}

struct Mark {
  std::string content;              // "" if it cannot be read
  std::optional<Error> unreadable;  // why
};

// Returns nullopt if there is no such mark.
std::optional<Mark> read_mark(const StateDirectory& state, const std::string& name) try {
  auto file = state.read(name, longest_mark);
  if (!file) return std::nullopt;
  return Mark{std::move(file->content), std::nullopt};
} catch (const Error& error) {
  return Mark{"", error};
}

std::string first_line(const std::string& content) {
  return content.substr(0, content.find('\n'));
}

// Returns whether a person has logged in for one of these places since the mark was written.
bool spares(const std::string& content, const std::vector<std::string>& places) {
  return std::ranges::any_of(places, [&](const std::string& place) {
    const std::string line = '\n' + place + '\n';
    return content.find(line) != std::string::npos;
  });
}

std::vector<std::string> with_mark_of_all(std::vector<std::string> marks) {
  marks.emplace_back(logout_mark_of_all);
  return marks;
}

}  // namespace

std::string logout_mark(std::string_view place) {
  return fmt::format("{}-{}", logout_mark_of_all, place);
}

Logout::Logout(const StateDirectory& state) : state_(state) {
  try {
    lock_.emplace(state);
  } catch (const Error& error) {
    not_locked_ = error;
  }
}

void Logout::mark(const std::vector<std::string>& places) const {
  if (places.empty()) return state_.write(logout_mark_of_all, random_text());
  for (const std::string& mark : marks_of(places)) state_.write(mark, random_text());
}

LogoutWatch::LogoutWatch(const StateDirectory& state) : state_(state) {
  for (const std::string& name : state.list())
    if (name.starts_with(logout_mark_of_all))
      if (const auto mark = read_mark(state, name)) known_.emplace(name, first_line(mark->content));
}

bool LogoutWatch::has_new_mark(const std::vector<std::string>& places, bool counts_ended) const {
  for (const std::string& name : with_mark_of_all(marks_of(places))) {
    const auto mark = read_mark(state_, name);
    if (!mark) continue;
    const auto known = known_.find(name);
    if (known != known_.end() && known->second == first_line(mark->content)) continue;
    if (mark->unreadable)
      throw Error(mark->unreadable->kind(),
                  "cannot see whether you have logged out: " + mark->unreadable->message(),
                  mark->unreadable->hint());
    if (counts_ended || !spares(mark->content, places)) return true;
  }
  return false;
}

bool LogoutWatch::has_logged_out(const std::vector<std::string>& places) const {
  return has_new_mark(places, false);
}

bool LogoutWatch::has_seen_logout(const std::vector<std::string>& places) const {
  return has_new_mark(places, true);
}

void LogoutWatch::end_logout(const std::vector<std::string>& places) const {
  for (const std::string& name : with_mark_of_all(marks_of(places))) {
    // Another logout since then has a mark of its own, under the same name.
    const auto known = known_.find(name);
    if (known == known_.end() || known->second.empty()) continue;
    const auto mark = read_mark(state_, name);
    if (!mark || first_line(mark->content) != known->second) continue;
    std::string content = mark->content;
    for (const std::string& place : places)
      if (!spares(content, {place})) content += place + '\n';
    if (content != mark->content && content.size() <= longest_mark) state_.write(name, content);
  }
}

}  // namespace mayfly
