#include "access/identity/detached_login.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <iterator>
#include <optional>
#include <string>

#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/forked_child.hpp"
#include "access/system/framed_message.hpp"
#include "access/system/interrupt.hpp"

namespace mayfly {
namespace {

// For a login that was interrupted to release its locks.
constexpr int release_ms = 500;

// The messages of the login's process: its number once it holds the locks, and its result.
constexpr char begun = 'b', done = 'd', failed = 'f';

Error login_died() {
  return {ErrorKind::failed, "the login ended without a result", "try again"};
}

bool is_readable(int socket, int within_ms) {
  pollfd answer{.fd = socket, .events = POLLIN, .revents = 0};
  return uninterrupted([&] { return ::poll(&answer, 1, within_ms); }) > 0;
}

int run(const DetachedLogin& login, int socket) {
  std::string result(1, failed);
  try {
    login.take_over();
    send_message(socket, begun + std::to_string(::getpid()));
    login.log_in([&] {
      // The command sends nothing: readable means that it has closed its end.
      if (is_readable(socket, 0)) leave_standard_error();
    });
    result = done;
  } catch (const Error& error) {
    result += encode_error(error);
  } catch (const std::exception& error) {
    result += encode_error({ErrorKind::failed, error.what()});
  }
  return send_message(socket, result) ? 0 : 1;
}

[[noreturn]] void rethrow(const std::optional<std::string>& message) {
  if (message && message->starts_with(failed))
    if (const auto error = decode_error(std::string_view(*message).substr(1))) throw *error;
  throw login_died();
}

// Waits for the number of the process, for milliseconds at most: until then both processes hold the
// locks, and neither may end.
pid_t wait_for_begin(int socket) {
  const auto message = receive_message(socket);
  if (!message || !message->starts_with(begun)) rethrow(message);
  pid_t pid = 0;
  std::from_chars(message->data() + 1, message->data() + message->size(), pid);
  if (pid <= 1) throw login_died();
  return pid;
}

[[noreturn]] void stop(int socket, pid_t pid) {
  if (interrupted_by() != SIGINT)
    throw Error(ErrorKind::login_needed, "stopped before the login was complete",
                "finish the login in the browser; the next command uses it");
  // The socket is open, so that the number is still that of the login.
  if (!is_readable(socket, 0)) ::kill(pid, SIGTERM);
  is_readable(socket, release_ms);
  throw Error(ErrorKind::login_needed, "login not completed: interrupted",
              "run the command again and open the URL it shows");
}

std::optional<std::string> wait_for_result(int socket, pid_t pid, const DetachedLogin& login) {
  const TimeLimit limit(login.patience);
  for (;;) {
    pollfd watched[] = {{.fd = socket, .events = POLLIN, .revents = 0},
                        {.fd = interrupt_descriptor(), .events = POLLIN, .revents = 0}};
    ::poll(watched, std::size(watched), 1000);
    if (watched[0].revents != 0) return receive_message(socket);
    if (interrupted_by() != 0) stop(socket, pid);
    login.waiting(std::chrono::ceil<std::chrono::seconds>(limit.left()));
  }
}

}  // namespace

void run_detached_login(const DetachedLogin& login) {
  SocketPair sockets = make_socket_pair("cannot start a login");
  const bool is_forked = fork_detached([&] {
    sockets.ours = Descriptor();
    return run(login, sockets.theirs.get());
  });
  if (!is_forked) throw system_error("cannot start a login", errno);
  sockets.theirs = Descriptor();
  const pid_t pid = wait_for_begin(sockets.ours.get());
  const auto result = wait_for_result(sockets.ours.get(), pid, login);
  if (!result || *result != std::string(1, done)) rethrow(result);
}

}  // namespace mayfly
