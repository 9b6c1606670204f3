#include "access/listen/supervisor_link.hpp"

#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <string_view>

#include "access/system/descriptor.hpp"
#include "access/system/platform.hpp"

namespace mayfly {
namespace {

// pid 0: the program has ended.
void send_pid(int socket, pid_t pid) noexcept {
  send_all(socket, {reinterpret_cast<const char*>(&pid), sizeof pid});
}

// The sandbox forbids signals, and the kernel sends this one where there is a sandbox.
void end_program(pid_t program) noexcept {
  if (platform == Platform::portable && program > 0) ::kill(program, SIGTERM);
}

}  // namespace

void tell_program(int socket, pid_t program) noexcept {
  send_pid(socket, program);
}

void tell_program_has_ended(int socket) noexcept {
  send_pid(socket, 0);
}

SupervisorWord hear_supervisor(int socket) noexcept {
  static pid_t program = 0;  // a listener has one supervisor
  pid_t pid = 0;
  const auto count = uninterrupted([&] { return ::recv(socket, &pid, sizeof pid, MSG_DONTWAIT); });
  if (count < 0 && errno == EAGAIN) return SupervisorWord::none;
  if (count != sizeof pid) {
    end_program(program);
    return SupervisorWord::gone;
  }
  if (pid == 0) return SupervisorWord::program_has_ended;
  program = pid;
  return SupervisorWord::none;
}

}  // namespace mayfly
