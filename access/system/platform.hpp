// Calls that POSIX does not have. linux.cpp makes them on Linux. portable.cpp makes those of any
// Unix in their place, and says where these protect less (SECURITY.md, "Other systems").
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/system/descriptor.hpp"

namespace mayfly {

// Whether processes and files are held back by a kernel that mayfly knows how to ask.
enum class Platform { linux_kernel, portable };
extern const Platform platform;

// Asks for SIGTERM when the parent process ends. Portable: does nothing.
void end_with_parent() noexcept;
// Lets no other process of the user trace this one or read its memory. Portable: does nothing.
void forbid_tracing() noexcept;
// Returns the path of the running program, or "" if the system cannot tell.
std::string own_executable();
// Returns the start of a process in ms since the epoch, as cloudflared's library computes it (btime
// of /proc/stat and field 22 of /proc/PID/stat, in clock ticks), or nullopt if there is no such
// process or the system cannot tell.
std::optional<long long> process_start_time_ms(long pid);
// Returns whether a process lives that was started at that time. Portable: whether its number is in
// use.
bool is_running(long pid, long long start_time_ms);

struct ProcessFacts {
  long parent = 0;
  std::vector<std::string> words;  // the program and its arguments
};
// Returns nullopt if there is no such process, or if the system cannot tell. Portable: nullopt.
std::optional<ProcessFacts> process_facts(long pid);

// Opens the standard error of another process of the user for writing, as if it were a new one.
// Portable: returns an empty Descriptor, as it does on Linux if the system refuses.
Descriptor standard_error_of(long pid) noexcept;

// Holds the entry of an account in shadow(5).
struct PasswordFacts {
  bool is_locked = false;                  // no password opens it
  std::optional<long> expires_after_days;  // of the account; counted from 1970-01-01
};
// Returns nullopt if the account has no entry, or if this process may not read it. Portable:
// nullopt.
std::optional<PasswordFacts> password_facts(const std::string& user);
// Returns whether a time service keeps the clock right (adjtimex(2)), or nullopt if the system
// cannot tell. Portable: nullopt.
std::optional<bool> is_clock_synchronised() noexcept;

// Returns a file that has no name and holds the content, for a program that opens it as
// "/dev/fd/N". It can be changed by nobody. Portable: a removed file in the directory for temporary
// files. Throws Error(failed).
Descriptor anonymous_file(std::string_view content);
// Renames unless the new name is taken. Returns 0 or errno: EEXIST if it is taken, and ENOSYS or
// EINVAL if the system or the file system cannot do it.
int rename_to_free_name(int directory, const char* from, const char* to) noexcept;

// Returns the path that the user's own symbolic link names, or "" for another user's link and for
// no link. The owner and the path are of the same link, even if somebody swaps links meanwhile.
// Portable: unless the link is swapped twice.
std::string read_own_link(const char* path);

// Returns how many bytes that were sent have not been acknowledged by the other host. Portable: 0.
std::size_t unacknowledged_bytes(int socket) noexcept;
// What the kernel knows about the other host of a TCP connection (TCP_INFO, tcp(7)).
struct TcpFacts {
  std::chrono::milliseconds since_acknowledgement{};  // of bytes, or of a probe of a closed window
  bool has_bytes_in_flight = false;                   // sent and not acknowledged
  unsigned unanswered_probes = 0;                     // of a closed window
};
// Returns nullopt if this is no TCP connection. Portable: nullopt.
std::optional<TcpFacts> tcp_facts(int socket) noexcept;
// Has the system ask a silent TCP connection after 30 s, and give it up after four questions 10 s
// apart; reading then fails. Other sockets stay as they are. Portable: with the system's own times.
void keep_alive(int socket) noexcept;
// Makes a pipe hold more, so that reads and writes are full and fewer. Portable: does nothing.
void widen_pipe(int descriptor) noexcept;
// Returns the process at the other end of a Unix socket, or 0 if the system cannot tell.
long peer_process(int socket) noexcept;
// Returns the user who listened at the other end of a Unix socket, or nullopt if the system cannot
// tell.
std::optional<unsigned> peer_user(int socket) noexcept;

// Gives memory that was freed back to the system. Portable: does nothing.
void release_freed_memory() noexcept;

}  // namespace mayfly
