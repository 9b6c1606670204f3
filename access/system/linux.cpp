#include <fcntl.h>
#include <fmt/core.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <shadow.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "access/core/error.hpp"
#include "access/system/platform.hpp"
#include "access/system/spawn_settings.hpp"

namespace mayfly {
namespace {

// docs/protocol.md section 5: when cloudflared takes a lock for stale.
constexpr long long start_time_tolerance_ms = 1000;

int flags_of(Blocking blocking) {
  return SOCK_CLOEXEC | (blocking == Blocking::no ? SOCK_NONBLOCK : 0);
}

std::optional<long long> boot_time_seconds() {
  std::ifstream stat("/proc/stat");
  for (std::string line; std::getline(stat, line);)
    if (line.starts_with("btime ")) return std::atoll(line.c_str() + 6);
  return std::nullopt;
}

// Returns /proc/PID/stat from field 3 on, or "" if there is no such process.
std::string state_of_process(long pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  // The name in parentheses may hold anything; field 3 follows the last ")".
  const auto name_end = stat.rfind(')');
  return name_end == std::string::npos ? "" : stat.substr(name_end + 1);
}

}  // namespace

const Platform platform = Platform::linux_kernel;

Pipe make_pipe(std::string_view failure, Blocking blocking) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | (blocking == Blocking::no ? O_NONBLOCK : 0)) != 0)
    throw system_error(std::string(failure), errno);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

SocketPair make_socket_pair(std::string_view failure, Blocking blocking) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | flags_of(blocking), 0, ends) != 0)
    throw system_error(std::string(failure), errno);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Descriptor open_socket(const SocketKind& kind) noexcept {
  return Descriptor(::socket(kind.family, kind.type | flags_of(kind.blocking), kind.protocol));
}

Descriptor accept_connection(int listening) noexcept {
  return Descriptor(::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

int close_in_child_from(posix_spawn_file_actions_t& actions, int first) noexcept {
#ifdef __GLIBC__
  return ::posix_spawn_file_actions_addclosefrom_np(&actions, first);
#else
  return close_each_in_child_from(actions, first);
#endif
}

void end_with_parent() noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
}

void forbid_tracing() noexcept {
  ::prctl(PR_SET_DUMPABLE, 0);
}

std::string own_executable() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "" : path.string();
}

std::optional<long long> process_start_time_ms(long pid) {
  std::istringstream fields(state_of_process(pid));
  std::string state, skipped;
  fields >> state;
  if (state == "Z" || state == "X") return std::nullopt;
  for (int field = 4; field < 22; ++field) fields >> skipped;
  long long ticks = 0;
  const auto boot = boot_time_seconds();
  if (!(fields >> ticks) || !boot) return std::nullopt;
  return *boot * 1000 + ticks * 1000 / ::sysconf(_SC_CLK_TCK);
}

bool is_running(long pid, long long start_time_ms) {
  const auto start = process_start_time_ms(pid);
  return start && std::llabs(*start - start_time_ms) <= start_time_tolerance_ms;
}

std::optional<ProcessFacts> process_facts(long pid) {
  std::istringstream fields(state_of_process(pid));
  std::string state;
  ProcessFacts facts;
  if (!(fields >> state >> facts.parent)) return std::nullopt;
  std::ifstream file(fmt::format("/proc/{}/cmdline", pid));
  for (std::string word; std::getline(file, word, '\0');) facts.words.push_back(word);
  return facts;
}

// Opened anew, a file would be written from its beginning without O_APPEND, and a pipe that nobody
// reads would block open() without O_NONBLOCK.
Descriptor standard_error_of(long pid) noexcept {
  std::array<char, 40> path{};
  fmt::format_to_n(path.data(), path.size() - 1, "/proc/{}/fd/2", pid);
  Descriptor opened(::open(path.data(), O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (opened) ::fcntl(opened.get(), F_SETFL, O_APPEND);
  return opened;
}

std::optional<PasswordFacts> password_facts(const std::string& user) {
  const spwd* entry = ::getspnam(user.c_str());
  if (entry == nullptr || entry->sp_pwdp == nullptr) return std::nullopt;
  PasswordFacts facts;
  facts.is_locked = entry->sp_pwdp[0] == '!';
  if (entry->sp_expire >= 0) facts.expires_after_days = entry->sp_expire;
  return facts;
}

std::optional<bool> is_clock_synchronised() noexcept {
  timex facts{};
  const int state = ::adjtimex(&facts);
  if (state < 0) return std::nullopt;
  return (facts.status & STA_UNSYNC) == 0;
}

Descriptor anonymous_file(std::string_view content) {
  Descriptor file(::memfd_create("mayfly", MFD_ALLOW_SEALING | MFD_CLOEXEC));
  if (!file) throw system_error("cannot make a file in memory", errno);
  if (!write_all(file.get(), content)) throw system_error("cannot write a file in memory", errno);
  ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  return file;
}

int rename_to_free_name(int directory, const char* from, const char* to) noexcept {
  // musl has no renameat2().
  const long done =
      ::syscall(SYS_renameat2, directory, from, directory, to, unsigned{RENAME_NOREPLACE});
  return done == 0 ? 0 : errno;
}

std::size_t unacknowledged_bytes(int socket) noexcept {
  int bytes = 0;
  return ::ioctl(socket, SIOCOUTQ, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

std::optional<TcpFacts> tcp_facts(int socket) noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  return TcpFacts{.since_acknowledgement = std::chrono::milliseconds(info.tcpi_last_ack_recv),
                  .has_bytes_in_flight = info.tcpi_unacked > 0,
                  .unanswered_probes = info.tcpi_probes};
}

void keep_alive(int socket) noexcept {
  const auto set = [socket](int level, int option, int value) {
    ::setsockopt(socket, level, option, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(IPPROTO_TCP, TCP_KEEPCNT, 4);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
}

void widen_pipe(int descriptor) noexcept {
  constexpr int wanted = 256 * 1024;
  const int size = ::fcntl(descriptor, F_GETPIPE_SZ);
  if (size > 0 && size < wanted) ::fcntl(descriptor, F_SETPIPE_SZ, wanted);
}

std::string read_own_link(const char* path) {
  const Descriptor link(::open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!link || ::fstat(link.get(), &status) != 0 || !S_ISLNK(status.st_mode) ||
      status.st_uid != ::geteuid())
    return "";
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlinkat(link.get(), "", target.data(), target.size());
  if (size <= 0 || static_cast<std::size_t>(size) == target.size()) return "";
  return {target.data(), static_cast<std::size_t>(size)};
}

long peer_process(int socket) noexcept {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

std::optional<unsigned> peer_user(int socket) noexcept {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer.uid;
}

// musl gives freed memory back by itself.
void release_freed_memory() noexcept {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace mayfly
