#include "access/listen/login_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <optional>

#include "access/io/watched_descriptor.hpp"
#include "access/system/forked_child.hpp"
#include "access/system/framed_message.hpp"
#include "access/system/interrupt.hpp"

namespace mayfly {
namespace {

constexpr char first_why = 'a';  // in a request, for the first value of Authorization::Why
constexpr int release_ms = 500;  // for a login to release its locks

Error login_died() {
  return {ErrorKind::failed, "the login ended without a result", "try again"};
}

// A listener in its sandbox cannot fork another login process.
Error process_died() {
  return {ErrorKind::failed, "the process that logs in for this listener is gone",
          "restart this listener"};
}

// --- inside the login process ---

Obtained obtain_here(const Authorization& authorization, Authorization::Why why,
                     const Obtained& refused) {
  try {
    if (why == Authorization::Why::refused) {
      // Another process may have stored other headers since; obtain() would delete them.
      auto known = authorization.known();
      if (known && *known != std::get<Headers>(refused)) return std::move(*known);
    }
    return authorization.obtain(why);
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return Error(ErrorKind::failed, error.what());
  }
}

std::string carry_out(const Authorization& authorization, std::string_view request) {
  const auto why = static_cast<Authorization::Why>(request.front() - first_why);
  const Obtained refused = decode_obtained(request.substr(1));
  if (!std::holds_alternative<Headers>(refused)) return encode_obtained(login_died());
  return encode_obtained(obtain_here(authorization, why, refused));
}

enum class Woken { by_awaited, by_end };

// Waits until `awaited` is readable. Returns by_end at a signal, or if the listener is gone, whose
// end of `socket` is then closed: POLLHUP, which poll(2) always watches.
Woken wait_for(int awaited, int socket) {
  pollfd watched[] = {{.fd = interrupt_descriptor(), .events = POLLIN, .revents = 0},
                      {.fd = socket, .events = 0, .revents = 0},
                      {.fd = awaited, .events = POLLIN, .revents = 0}};
  uninterrupted([&] { return ::poll(watched, std::size(watched), -1); });
  return watched[0].revents != 0 || watched[1].revents != 0 ? Woken::by_end : Woken::by_awaited;
}

// Waits for the child, at most so long. Returns whether it has ended.
bool has_ended(pid_t child, int within_ms) {
  for (int waited = 0; ::waitpid(child, nullptr, WNOHANG) == 0; waited += 5) {
    if (waited >= within_ms) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

void end_child(pid_t child) {
  ::kill(child, SIGTERM);
  if (has_ended(child, release_ms)) return;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

// Waits for the child. Returns whether it has sent its result.
bool has_answered(pid_t child) {
  int status = 0;
  uninterrupted([&] { return ::waitpid(child, &status, 0); });
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Answers one request. Returns false if the login process has to end.
bool serve(const Authorization& authorization, int socket, std::string_view request) {
  Pipe end;  // the child holds its writing end, so that the child's death is an end of file
  try {
    end = make_pipe("cannot start a login");
  } catch (const Error& error) {
    return send_message(socket, encode_obtained(error));
  }
  const pid_t child =
      fork_to([&] { return send_message(socket, carry_out(authorization, request)) ? 0 : 1; });
  if (child < 0)
    return send_message(socket, encode_obtained(system_error("cannot start a login", errno)));
  end.writing = Descriptor();
  if (wait_for(end.reading.get(), socket) == Woken::by_end) {
    end_child(child);
    return false;
  }
  return has_answered(child) || send_message(socket, encode_obtained(login_died()));
}

int run_login_process(const Authorization& authorization, int socket) {
  while (wait_for(socket, socket) == Woken::by_awaited) {
    const auto request = receive_message(socket);
    if (!request || !serve(authorization, socket, *request)) break;
  }
  return 0;
}

}  // namespace

std::string encode_obtained(const Obtained& obtained) {
  std::string text;
  if (const auto* error = std::get_if<Error>(&obtained)) {
    text = 'e' + encode_error(*error);
  } else {
    text = 'h';
    for (const auto& [name, value] : std::get<Headers>(obtained)) {
      put_part(text, name);
      put_part(text, value);
    }
  }
  return text + '.';  // marks the end, which is missing if the process died while it wrote
}

Obtained decode_obtained(std::string_view text) {
  if (text.size() < 2 || !text.ends_with('.')) return login_died();
  const char what = text.front();
  text.remove_prefix(1);
  text.remove_suffix(1);
  if (what == 'e') return decode_error(text).value_or(login_died());
  if (what != 'h') return login_died();
  Headers headers;
  while (!text.empty()) {
    auto name = take_part(text);
    auto value = take_part(text);
    if (!name || !value) return login_died();
    headers.add(*std::move(name), *std::move(value));
  }
  return headers;
}

LoginProcess::LoginProcess(const Authorization& authorization) {
  SocketPair sockets = make_socket_pair("cannot prepare for logins");
  socket_ = std::move(sockets.ours);
  pid_ = fork_to([&] {
    socket_ = Descriptor();
    return run_login_process(authorization, sockets.theirs.get());
  });
  if (pid_ < 0) throw system_error("cannot prepare for logins", errno);
  ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
}

// Closing the socket ends the login process. The listener's sandbox forbids signals.
LoginProcess::~LoginProcess() {
  socket_ = Descriptor();
  has_ended(pid_, release_ms + 100);
}

asio::awaitable<Obtained> LoginProcess::obtain(Authorization::Why why, Headers refused) {
  const std::string request =
      static_cast<char>(first_why + static_cast<int>(why)) + encode_obtained(std::move(refused));
  // Made before the request is sent, since it may throw: no answer may be left in the socket then.
  WatchedDescriptor watched(co_await asio::this_coro::executor, socket_.get());
  if (!send_message(socket_.get(), request)) co_return process_died();
  std::string received;
  std::array<char, 4096> room;
  for (;;) {
    co_await watched.wait(WatchedDescriptor::For::wait_read, asio::use_awaitable);
    const ssize_t count = ::read(socket_.get(), room.data(), room.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) co_return process_died();
    if (received.size() > max_message_size) co_return login_died();
    received.append(room.data(), static_cast<std::size_t>(count));
    std::string_view framed = received;
    if (const auto message = take_part(framed)) co_return decode_obtained(*message);
  }
}

}  // namespace mayfly
