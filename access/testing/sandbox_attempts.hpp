// For the tests of the sandbox: what is tried inside it, and what that came to.
#pragma once

#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>

#include "access/system/platform.hpp"

namespace mayfly::testing {

// doctest's macros do not work in a child: what an attempt came to is its exit code.
constexpr int it_worked = 0, refused = 1, failed_otherwise = 2, not_confined = 3;

inline int outcome(long returned) {
  if (returned >= 0) return it_worked;
  return errno == EPERM || errno == EACCES ? refused : failed_otherwise;
}

inline bool kernel_can_confine() {
  const int filter = SECCOMP_RET_ERRNO;
  return platform == Platform::linux_kernel &&
         ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &filter) == 0 &&
         ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

// Sanitizers and valgrind open files and start threads in their own right.
inline bool sandbox_is_possible() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#elif defined(__has_feature)
  return !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer) &&
         kernel_can_confine();
#else
  return kernel_can_confine();
#endif
}

// What a program in an attacker's hands would try.
struct Attempt {
  const char* what;
  std::function<long()> call;
  // Containers and administrators forbid some of it anyway.
  enum class Elsewhere { never_refused, perhaps_refused } elsewhere = Elsewhere::never_refused;
};

inline const Attempt attempts[] = {
    {"open", [] { return ::open("/dev/null", O_RDONLY); }},
    {"open for writing", [] { return ::open("/dev/null", O_WRONLY); }},
    {"old open",
     [] {
#ifdef SYS_open
       return ::syscall(SYS_open, "/dev/null", O_RDONLY);
#else
       return ::openat(AT_FDCWD, "/dev/null", O_RDONLY);
#endif
     }},
    {"stat",
     [] {
       struct stat status {};
       return ::stat("/", &status);
     }},
    {"unlink", [] { return ::unlink("/nowhere/file"); }},
    {"memfd", [] { return ::memfd_create("x", 0); }},
    {"exec",
     [] {
       char name[] = "true";
       char* words[] = {name, nullptr};
       return ::execv("/bin/true", words);
     }},
    {"fork", [] { return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr); }},
    {"thread", [] { return ::syscall(SYS_clone3, nullptr, 0); }},
    {"socket", [] { return ::socket(AF_INET, SOCK_STREAM, 0); }},
    {"Unix socket", [] { return ::socket(AF_UNIX, SOCK_STREAM, 0); }},
    {"socket pair",
     [] {
       int ends[2];
       return ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
     }},
    {"connect",
     [] {
       const sockaddr_un nowhere{AF_UNIX, "/nowhere"};
       return ::connect(0, reinterpret_cast<const sockaddr*>(&nowhere), sizeof nowhere);
     }},
    {"send elsewhere",
     [] {
       const sockaddr_un nowhere{AF_UNIX, "/nowhere"};
       return ::sendto(0, "x", 1, 0, reinterpret_cast<const sockaddr*>(&nowhere), sizeof nowhere);
     }},
    {"ptrace", [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); },
     Attempt::Elsewhere::perhaps_refused},
    {"another's memory",
     [] {
       char byte = 0;
       const iovec here{&byte, 1}, there{&byte, 1};
       return ::process_vm_readv(::getpid(), &here, 1, &there, 1, 0);
     },
     Attempt::Elsewhere::perhaps_refused},
    {"kill", [] { return ::kill(::getpid(), 0); }},
    {"code",
     [] {
       const void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
       return page == MAP_FAILED ? -1L : 0L;
     }},
    {"code from data",
     [] {
       void* page =
           ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
       return static_cast<long>(::mprotect(page, 4096, PROT_READ | PROT_EXEC));
     }},
    {"terminal input", [] { return ::ioctl(0, TIOCSTI, "x"); }},
    {"duplicate", [] { return ::fcntl(0, F_DUPFD, 0); }},
    {"io_uring",
     [] {
       io_uring_params parameters{};
       return ::syscall(SYS_io_uring_setup, 1, &parameters);
     },
     Attempt::Elsewhere::perhaps_refused},
    {"new privileges", [] { return ::setuid(::geteuid()); }},
};

}  // namespace mayfly::testing
