#include "access/system/ownership.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/core/text.hpp"

namespace mayfly {
namespace {

std::string name_of(uid_t user) {
  if (user == 0) return "root";
  const passwd* entry = ::getpwuid(user);
  return entry && entry->pw_name ? printable(entry->pw_name) : "";
}

// Returns whether the file lies in a directory of the user's own, where sudo may have left it.
// Files in another user's directory stay that user's.
bool is_in_own_place(const std::string& path) {
  struct stat status {};
  const auto slash = path.find_last_of('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash);
  return ::stat(parent.c_str(), &status) == 0 && status.st_uid == ::geteuid();
}

std::string cure(const std::string& path, uid_t owner) {
  if (::geteuid() == 0 || !is_in_own_place(path))
    return fmt::format("run mayfly as {}{}, or name another directory in MAYFLY_HOME",
                       owner_text(owner), ::geteuid() == 0 ? ", without sudo" : "");
  const std::string own = name_of(::geteuid());
  return fmt::format("run: sudo chown -R {}: {}", own.empty() ? std::to_string(::geteuid()) : own,
                     pasted_word(path));
}

}  // namespace

std::string owner_text(uid_t owner) {
  const std::string name = name_of(owner);
  return name.empty() ? fmt::format("user {}", owner) : name;
}

Error foreign_owner(std::string_view verb, const std::string& path, uid_t owner) {
  return Error(ErrorKind::failed,
               fmt::format("cannot {} {}: it belongs to {}", verb, path, owner_text(owner)),
               cure(path, owner));
}

}  // namespace mayfly
