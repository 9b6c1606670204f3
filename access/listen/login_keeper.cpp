#include "access/listen/login_keeper.hpp"

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
#include "access/system/interrupt.hpp"
#include "access/system/platform.hpp"

namespace mayfly {
namespace {

using Headers = std::vector<Header>;

constexpr std::uint32_t most_told = 1 << 20;
constexpr int moment_ms = 500;  // for a login to let go of its locks

void put(std::string& text, std::string_view part) {
  const auto size = static_cast<std::uint32_t>(part.size());
  text.append(reinterpret_cast<const char*>(&size), sizeof size).append(part);
}

std::optional<std::string> take(std::string_view& text) {
  std::uint32_t size = 0;
  if (text.size() < sizeof size) return std::nullopt;
  std::memcpy(&size, text.data(), sizeof size);
  text.remove_prefix(sizeof size);
  if (text.size() < size) return std::nullopt;
  const std::string part(text.substr(0, size));
  text.remove_prefix(size);
  return part;
}

Error child_died() {
  return {ErrorKind::failed, "the login ended without a result", "try again"};
}

// It was forked before the listener was confined, which can fork no other.
Error keeper_died() {
  return {ErrorKind::failed, "the process that logs in for this listener is gone",
          "restart this listener"};
}

bool tell(int line, std::string_view message) {
  std::string framed;
  put(framed, message);
  return write_all(line, framed);
}

// Returns false if the other side is gone.
bool fill(int line, std::span<char> into) {
  return read_all(line, into) == static_cast<std::ptrdiff_t>(into.size());
}

std::optional<std::string> hear(int line) {
  std::uint32_t size = 0;
  if (!fill(line, {reinterpret_cast<char*>(&size), sizeof size}) || size > most_told)
    return std::nullopt;
  std::string message(size, '\0');
  if (!fill(line, message)) return std::nullopt;
  return message;
}

// --- the keeper's side ---

Obtained obtain_here(const Authorization& authorization, Authorization::Why why,
                     const Obtained& refused) {
  try {
    if (why == Authorization::Why::refused) {
      // Those that were refused are to be forgotten, not others that somebody has stored since.
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
  const auto why =
      request.starts_with('r') ? Authorization::Why::refused : Authorization::Why::nothing_known;
  const Obtained refused = decode_obtained(request.substr(1));
  if (!std::holds_alternative<Headers>(refused)) return encode_obtained(child_died());
  return encode_obtained(obtain_here(authorization, why, refused));
}

void end_with(pid_t parent) {
  end_with_parent();
  if (::getppid() != parent) ::_exit(0);
}

enum class Came { awaited, end };

// The end is a signal, or a listener that is gone: its end of the line is closed (POLLHUP, which is
// always watched). Whatever else is awaited comes as something to read, or as an end of file.
Came wait_for(int awaited, int line) {
  pollfd watched[] = {{.fd = interrupt_descriptor(), .events = POLLIN, .revents = 0},
                      {.fd = line, .events = 0, .revents = 0},
                      {.fd = awaited, .events = POLLIN, .revents = 0}};
  uninterrupted([&] { return ::poll(watched, std::size(watched), -1); });
  return watched[0].revents != 0 || watched[1].revents != 0 ? Came::end : Came::awaited;
}

bool has_ended(pid_t child, int within_ms) {
  for (int waited = 0; ::waitpid(child, nullptr, WNOHANG) == 0; waited += 5) {
    if (waited >= within_ms) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

void end_child(pid_t child) {
  ::kill(child, SIGTERM);
  if (has_ended(child, moment_ms)) return;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

bool has_answered(pid_t child) {
  int status = 0;
  uninterrupted([&] { return ::waitpid(child, &status, 0); });
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// No signal gets lost between fork() and the child's own handlers.
template <typename Work>
pid_t fork_to(const Work& work) {
  sigset_t interrupts, before;
  ::sigemptyset(&interrupts);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&interrupts, number);
  ::sigprocmask(SIG_BLOCK, &interrupts, &before);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    catch_interrupts_anew();
    end_with(parent);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    ::_exit(work());
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return child;
}

// Answers one request; false when the keeper is to end.
bool serve(const Authorization& authorization, int line, std::string_view request) {
  Pipe end;  // the child holds its writing side until it ends
  try {
    end = make_pipe();
  } catch (const Error& error) {
    return tell(line, encode_obtained(error));
  }
  const pid_t child =
      fork_to([&] { return tell(line, carry_out(authorization, request)) ? 0 : 1; });
  if (child < 0) return tell(line, encode_obtained(system_error("cannot start a login", errno)));
  end.writing = Descriptor();
  if (wait_for(end.reading.get(), line) == Came::end) {
    end_child(child);
    return false;
  }
  return has_answered(child) || tell(line, encode_obtained(child_died()));
}

int keep(const Authorization& authorization, int line) {
  while (wait_for(line, line) == Came::awaited) {
    const auto request = hear(line);
    if (!request || !serve(authorization, line, *request)) break;
  }
  return 0;
}

}  // namespace

std::string encode_obtained(const Obtained& obtained) {
  std::string text;
  if (const auto* error = std::get_if<Error>(&obtained)) {
    text += static_cast<char>(error->kind());
    put(text, error->message());
    put(text, error->hint());
  } else {
    text += '\0';
    for (const auto& [name, value] : std::get<Headers>(obtained)) {
      put(text, name);
      put(text, value);
    }
  }
  return text + '.';  // the end: a child that died while it wrote told nothing
}

Obtained decode_obtained(std::string_view text) {
  if (text.size() < 2 || !text.ends_with('.')) return child_died();
  const int kind = static_cast<unsigned char>(text.front());
  text.remove_prefix(1);
  text.remove_suffix(1);
  if (kind > static_cast<int>(ErrorKind::protocol)) return child_died();
  std::vector<std::string> parts;
  while (!text.empty()) {
    auto part = take(text);
    if (!part) return child_died();
    parts.push_back(std::move(*part));
  }
  if (parts.size() % 2 != 0) return child_died();
  if (kind != 0) {
    if (parts.size() != 2) return child_died();
    return Error(static_cast<ErrorKind>(kind), parts[0], parts[1]);
  }
  Headers headers;
  for (std::size_t i = 0; i < parts.size(); i += 2) headers.emplace_back(parts[i], parts[i + 1]);
  return headers;
}

LoginKeeper::LoginKeeper(const Authorization& authorization) {
  SocketPair line = make_socket_pair();
  line_ = std::move(line.ours);
  pid_ = fork_to([&] {
    line_ = Descriptor();
    return keep(authorization, line.theirs.get());
  });
  if (pid_ < 0) throw system_error("cannot prepare for logins", errno);
  ::fcntl(line_.get(), F_SETFL, O_NONBLOCK);
}

// Without a signal: a listener is confined, and may send none.
LoginKeeper::~LoginKeeper() {
  line_ = Descriptor();
  has_ended(pid_, moment_ms + 100);
}

asio::awaitable<Obtained> LoginKeeper::ask(Authorization::Why why, Headers refused) {
  const std::string request =
      (why == Authorization::Why::refused ? 'r' : 'n') + encode_obtained(std::move(refused));
  // Before the question: when it cannot be watched, no answer is to be left on the line.
  WatchedDescriptor watched(co_await asio::this_coro::executor, line_.get());
  if (!tell(line_.get(), request)) co_return keeper_died();
  std::string told;
  std::array<char, 4096> room;
  for (;;) {
    co_await watched.wait(WatchedDescriptor::For::wait_read, asio::use_awaitable);
    const ssize_t count = ::read(line_.get(), room.data(), room.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) co_return keeper_died();
    if (told.size() > most_told) co_return child_died();
    told.append(room.data(), static_cast<std::size_t>(count));
    std::string_view framed = told;
    if (const auto message = take(framed)) co_return decode_obtained(*message);
  }
}

}  // namespace mayfly
