#include "access/system/sandbox.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <new>
#include <vector>

#include "access/system/seccomp.hpp"

namespace mayfly {
namespace {

using When = PermittedCall::When;

// By their weight in a busy tunnel: the kernel goes through the list from the front, though for
// most it remembers the outcome. What OpenSSL, Asio and the C library use, no more.
constexpr PermittedCall in_any_case[] = {
    {SYS_read},          {SYS_write},
    {SYS_readv},         {SYS_writev},
    {SYS_epoll_pwait},
#ifdef SYS_epoll_wait
    {SYS_epoll_wait},
#endif
    {SYS_epoll_ctl},     {SYS_timerfd_settime},
#ifdef SYS_poll
    {SYS_poll},
#endif
    {SYS_ppoll},         {SYS_recvfrom},
    {SYS_clock_gettime}, {SYS_gettimeofday},
    {SYS_futex},         {SYS_close},
    {SYS_shutdown},      {SYS_lseek},
    {SYS_brk},           {SYS_mprotect, When::lacks, 2, {PROT_EXEC}},
    {SYS_mremap},        {SYS_munmap},
    {SYS_madvise},       {SYS_getrandom},
    {SYS_getpid},        {SYS_gettid},
    {SYS_rt_sigaction},  {SYS_rt_sigprocmask},
    {SYS_rt_sigreturn},  {SYS_restart_syscall},
    {SYS_sched_yield},   {SYS_clock_nanosleep},
    {SYS_exit},          {SYS_exit_group},
};

constexpr PermittedCall on_open_descriptors[] = {
    {SYS_sendto, When::is_null, 4},                     // only to where it is connected
    {SYS_ioctl, When::one_of, 1, {SIOCOUTQ, FIONBIO}},  // what the peer has acknowledged; Asio's
    {SYS_getsockopt, When::one_of, 2, {TCP_INFO}},      // whether its host still answers
    {SYS_fcntl, When::one_of, 1, {F_GETFL, F_SETFL, F_GETFD}},
    {SYS_mmap, When::lacks, 2, {PROT_EXEC}},
};

// Looking up names is the C library's, with modules of the system's: it loads code, asks the kernel
// for addresses, and starts a thread here. Local services (nscd, systemd-resolved) it asks before
// DNS, and does without.
constexpr PermittedCall when_connecting[] = {
    {SYS_accept4},
    {SYS_sendto},
    // No Unix sockets: behind them are services that do what this process may not.
    {SYS_socket, When::one_of, 0, {AF_INET, AF_INET6, AF_NETLINK}},
    {SYS_connect},
    {SYS_bind, When::one_of, 2, {sizeof(sockaddr_nl)}},  // too short for another family's port
    {SYS_getsockname},
    {SYS_getpeername},
    {SYS_getsockopt},
    {SYS_setsockopt},
    {SYS_sendmsg},
    {SYS_sendmmsg},
    {SYS_recvmsg},
    {SYS_recvmmsg},
    {SYS_ioctl, When::one_of, 1, {SIOCOUTQ, FIONREAD, FIONBIO}},
    {SYS_fcntl,
     When::one_of,
     1,
     {F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD_CLOEXEC, F_GETLK, F_SETLK, F_SETLKW}},
    {SYS_mmap, When::not_all, 2, {PROT_WRITE | PROT_EXEC}},
    {SYS_openat},
    {SYS_newfstatat},
    {SYS_fstat},
    {SYS_statx},
    {SYS_faccessat},
    {SYS_faccessat2},
    {SYS_readlinkat},
    {SYS_getdents64},
    {SYS_pread64},
    {SYS_fsync},
    {SYS_flock},
    {SYS_ftruncate},
    {SYS_fchmod},
    {SYS_unlinkat},
#ifdef SYS_renameat
    {SYS_renameat},
#endif
    {SYS_renameat2},
    {SYS_fstatfs},
    {SYS_getcwd},
    {SYS_umask},
#ifdef SYS_open  // the older names, where the processor has them
    {SYS_open},
    {SYS_stat},
    {SYS_lstat},
    {SYS_access},
    {SYS_readlink},
    {SYS_unlink},
    {SYS_rename},
    {SYS_pipe},
    {SYS_select},
    {SYS_getrlimit},
#endif
    {SYS_pipe2},
    {SYS_pselect6},
    {SYS_epoll_create1},
    {SYS_eventfd2},
    {SYS_timerfd_create},
    {SYS_nanosleep},
    {SYS_clone, When::holds, 0, {CLONE_THREAD}},
    {SYS_clone3, When::missing},  // its flags are where a filter cannot look; clone() follows
    {SYS_set_robust_list},
    {SYS_rseq},
    {SYS_sigaltstack},
    {SYS_sched_getaffinity},
    {SYS_membarrier},
    {SYS_prctl, When::one_of, 0, {PR_SET_NAME}},
    {SYS_prlimit64, When::is_null, 2},
    {SYS_getuid},
    {SYS_geteuid},
    {SYS_getgid},
    {SYS_getegid},
    {SYS_getppid},
    {SYS_uname},
    {SYS_sysinfo},
    {SYS_wait4},
    {SYS_waitid},
};

int permit(std::span<const PermittedCall> more) noexcept try {
  std::vector<PermittedCall> calls(std::begin(in_any_case), std::end(in_any_case));
  calls.insert(calls.end(), more.begin(), more.end());
  return permit_only(calls);
} catch (const std::bad_alloc&) {
  return ENOMEM;
}

void add(std::string& to, std::string_view what, int error) {
  if (!to.empty()) to += ", ";
  to += error == 0 ? fmt::format("{} held back", what)
                   : fmt::format("{} not held back ({})", what, std::strerror(error));
}

}  // namespace

std::string Confinement::text() const {
  std::string shown;
  add(shown, "system calls", system_calls);
  add(shown, "files", files);
  return shown;
}

Confinement confine_to_open_descriptors() noexcept {
  Confinement confinement;
  confinement.files = permit_only(PermittedFiles{});
  confinement.system_calls = permit(on_open_descriptors);
  return confinement;
}

Confinement confine_to_connecting(const PermittedFiles& files) noexcept {
  Confinement confinement;
  confinement.files = permit_only(files);
  confinement.system_calls = permit(when_connecting);
  return confinement;
}

}  // namespace mayfly
