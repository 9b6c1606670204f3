#include "access/system/landlock.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "access/system/descriptor.hpp"

namespace mayfly {
namespace {

// The kernel may know more than the headers this was built with: bits and fields by their numbers
// (Documentation/userspace-api/landlock.rst).
struct Ruleset {
  std::uint64_t files = 0;    // version 1
  std::uint64_t network = 0;  // version 4
  std::uint64_t scoped = 0;   // version 6
};

constexpr std::uint64_t truncate = 1ULL << 14;      // version 3
constexpr std::uint64_t device_ioctl = 1ULL << 15;  // version 5
constexpr std::uint64_t bind_tcp = 1ULL << 0, connect_tcp = 1ULL << 1;
constexpr std::uint64_t abstract_sockets = 1ULL << 0, signals = 1ULL << 1;

constexpr std::uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                  LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK;
constexpr std::uint64_t everything = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;  // version 1

int version() {
  return static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION));
}

Ruleset handled_by(int version, PermittedFiles::Network network) {
  Ruleset rules{.files = everything};
  if (version >= 2) rules.files |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) rules.files |= truncate;
  if (version >= 4) rules.network = bind_tcp;
  if (version >= 4 && network == PermittedFiles::Network::none) rules.network |= connect_tcp;
  if (version >= 5) rules.files |= device_ioctl;
  if (version >= 6 && network == PermittedFiles::Network::none)
    rules.scoped = abstract_sockets | signals;
  return rules;
}

// Older kernels refuse fields that they do not know, even empty ones.
std::size_t size_for(int version) {
  const std::size_t fields = version >= 6 ? 3 : version >= 4 ? 2 : 1;
  return fields * sizeof(std::uint64_t);
}

int add(const Descriptor& rules, const std::string& path, std::uint64_t allowed) {
  const Descriptor place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!place) return 0;
  struct stat status {};
  if (::fstat(place.get(), &status) != 0) return errno;
  if (!S_ISDIR(status.st_mode))
    allowed &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | truncate;
  const landlock_path_beneath_attr rule{.allowed_access = allowed, .parent_fd = place.get()};
  const long done =
      ::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  return done == 0 ? 0 : errno;
}

int add_all(const Descriptor& rules, const PermittedFiles& files, std::uint64_t known) {
  for (const std::string& path : files.read)
    if (const int error = add(rules, path, reading & known)) return error;
  for (const std::string& path : files.open)
    if (const int error = add(rules, path, LANDLOCK_ACCESS_FS_READ_FILE)) return error;
  for (const std::string& path : files.write)
    if (const int error = add(rules, path, (reading | writing | truncate) & known)) return error;
  for (const std::string& path : files.remove)
    if (const int error = add(rules, path, LANDLOCK_ACCESS_FS_REMOVE_FILE)) return error;
  return 0;
}

}  // namespace

int permit_only(const PermittedFiles& files) noexcept {
  const int known = version();
  if (known < 1) return known < 0 ? errno : ENOSYS;
  const Ruleset handled = handled_by(known, files.network);
  const Descriptor rules(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &handled, size_for(known), 0)));
  if (!rules) return errno;
  if (const int error = add_all(rules, files, handled.files)) return error;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return ::syscall(SYS_landlock_restrict_self, rules.get(), 0) == 0 ? 0 : errno;
}

}  // namespace mayfly
