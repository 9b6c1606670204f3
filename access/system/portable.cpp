// Stands in for linux.cpp, directory_watch.cpp, landlock.cpp, seccomp.cpp, sandbox.cpp,
// readiness_set.cpp, sock_diag.cpp and wiping_memory.cpp in a build with -Dportable=true: POSIX
// calls only.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <initializer_list>

#include "access/core/error.hpp"
#include "access/system/directory_watch.hpp"
#include "access/system/interrupt.hpp"
#include "access/system/platform.hpp"
#include "access/system/readiness_set.hpp"
#include "access/system/sandbox.hpp"
#include "access/system/sock_diag.hpp"
#include "access/system/spawn_settings.hpp"
#include "access/system/wiping_memory.hpp"

namespace mayfly {
namespace {

// A child that another thread forks between the two calls inherits the descriptor.
Descriptor prepared(int fd, Blocking blocking) noexcept {
  if (fd < 0) return {};
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (blocking == Blocking::no) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  return Descriptor(fd);
}

}  // namespace

const Platform platform = Platform::portable;

Pipe make_pipe(std::string_view failure, Blocking blocking) {
  int ends[2];
  if (::pipe(ends) != 0) throw system_error(std::string(failure), errno);
  return {prepared(ends[0], blocking), prepared(ends[1], blocking)};
}

SocketPair make_socket_pair(std::string_view failure, Blocking blocking) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
    throw system_error(std::string(failure), errno);
  return {prepared(ends[0], blocking), prepared(ends[1], blocking)};
}

Descriptor open_socket(const SocketKind& kind) noexcept {
  return prepared(::socket(kind.family, kind.type, kind.protocol), kind.blocking);
}

Descriptor accept_connection(int listening) noexcept {
  return prepared(::accept(listening, nullptr, nullptr), Blocking::no);
}

int close_in_child_from(posix_spawn_file_actions_t& actions, int first) noexcept {
  return close_each_in_child_from(actions, first);
}

void end_with_parent() noexcept {}

void forbid_tracing() noexcept {}

std::string own_executable() {
  return {};
}

std::optional<long long> process_start_time_ms(long) {
  return std::nullopt;
}

bool is_running(long pid, long long) {
  return pid > 0 && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
}

std::optional<ProcessFacts> process_facts(long) {
  return std::nullopt;
}

std::optional<PasswordFacts> password_facts(const std::string&) {
  return std::nullopt;
}

std::optional<bool> is_clock_synchronised() noexcept {
  return std::nullopt;
}

Descriptor anonymous_file(std::string_view content) {
  const char* folder = std::getenv("TMPDIR");
  std::string name = std::string(folder != nullptr ? folder : "/tmp") + "/mayfly-XXXXXX";
  Descriptor file = prepared(::mkstemp(name.data()), Blocking::yes);
  if (!file) throw system_error("cannot make a temporary file", errno);
  ::unlink(name.c_str());
  if (!write_all(file.get(), content) || ::lseek(file.get(), 0, SEEK_SET) != 0)
    throw system_error("cannot write a temporary file", errno);
  return file;
}

int rename_to_free_name(int, const char*, const char*) noexcept {
  return ENOSYS;
}

std::size_t unacknowledged_bytes(int) noexcept {
  return 0;
}

std::optional<TcpFacts> tcp_facts(int) noexcept {
  return std::nullopt;
}

void keep_alive(int socket) noexcept {
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

void widen_pipe(int) noexcept {}

Descriptor standard_error_of(long /*pid*/) noexcept {
  return {};
}

std::string read_own_link(const char* path) {
  struct stat before {
  }, after{};
  if (::lstat(path, &before) != 0 || !S_ISLNK(before.st_mode) || before.st_uid != ::geteuid())
    return "";
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink(path, target.data(), target.size());
  if (size <= 0 || static_cast<std::size_t>(size) == target.size()) return "";
  if (::lstat(path, &after) != 0 || before.st_ino != after.st_ino || before.st_dev != after.st_dev)
    return "";
  return {target.data(), static_cast<std::size_t>(size)};
}

long peer_process(int) noexcept {
  return 0;
}

std::optional<unsigned> peer_user(int) noexcept {
  return std::nullopt;
}

void release_freed_memory() noexcept {}

std::shared_ptr<ReadinessSet> ReadinessSet::make() noexcept {
  return nullptr;
}

Descriptor open_sock_diag() noexcept {
  return {};
}

PeerSocket peer_socket(int, const ConnectedEnds&) noexcept {
  return {};
}

// Only sleeps: the caller looks again after each wait.
DirectoryWatch::DirectoryWatch(int) {}

void DirectoryWatch::wait(std::chrono::milliseconds at_most) const {
  pollfd interrupt{.fd = interrupt_descriptor(), .events = POLLIN, .revents = 0};
  ::poll(&interrupt, 1, static_cast<int>(at_most.count()));
}

Confinement confine_to_open_descriptors() noexcept {
  return {.system_calls = ENOSYS, .files = ENOSYS};
}

Confinement confine_to_connecting(const PermittedFiles&) noexcept {
  return {.system_calls = ENOSYS, .files = ENOSYS};
}

std::string Confinement::text() const {
  return "system calls and files not held back (not on this system)";
}

void wiping_free(void* block) noexcept {
  std::free(block);
}

void* wiping_realloc(void* block, std::size_t size) noexcept {
  return std::realloc(block, size);
}

}  // namespace mayfly
