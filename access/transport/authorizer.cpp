#include "access/transport/authorizer.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>

#include "access/core/descriptor.hpp"
#include "access/transport/endpoints.hpp"
#include "access/transport/watched_descriptor.hpp"

namespace mayfly {
namespace {

using namespace std::chrono_literals;
using Headers = std::vector<Header>;

constexpr std::size_t most_told = 1 << 20;

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

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

Obtained obtain_here(const Authorization& authorization, Authorization::Why why) {
  try {
    return authorization.obtain(why);
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return Error(ErrorKind::failed, error.what());
  }
}

// The child's whole life. It must not outlive a parent that was killed: it holds its sockets.
[[noreturn]] void be_the_child(const Authorization& authorization, Authorization::Why why,
                               int telling, pid_t parent) {
#ifdef PR_SET_PDEATHSIG
  prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
  if (getppid() == parent) write_all(telling, encode_obtained(obtain_here(authorization, why)));
  _exit(0);
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
  const int kind = text.front();
  text.remove_prefix(1);
  text.remove_suffix(1);
  if (kind < 0 || kind > static_cast<int>(ErrorKind::protocol)) return child_died();
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

struct Authorizer::Attempt {
  explicit Attempt(const asio::any_io_executor& executor) : over(executor) {
    over.expires_at(asio::steady_timer::time_point::max());
  }
  // SIGTERM lets it release its locks; it gets a moment for that.
  ~Attempt() {
    if (child <= 0) return;
    kill(child, SIGTERM);
    for (int i = 0; i < 50; ++i) {
      if (waitpid(child, nullptr, WNOHANG) != 0) return;
      usleep(10'000);
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  pid_t child = -1;
  asio::steady_timer over;  // cancelled when `obtained` is there
  std::optional<Obtained> obtained;
};

Authorizer::~Authorizer() = default;

asio::awaitable<Headers> Authorizer::headers() {
  const auto now = std::chrono::steady_clock::now();
  if (now < fresh_until_) co_return fresh_;
  auto known = authorization_.known();
  if (!known) co_return co_await obtain(Authorization::Why::nothing_known);
  fresh_ = *known;
  fresh_until_ = now + moment_;
  co_return std::move(*known);
}

asio::awaitable<Headers> Authorizer::instead_of(Headers refused) {
  fresh_until_ = {};
  if (auto known = authorization_.known(); known && *known != refused) co_return std::move(*known);
  co_return co_await obtain(Authorization::Why::refused);
}

asio::awaitable<Headers> Authorizer::obtain(Authorization::Why why) {
  const auto executor = co_await asio::this_coro::executor;
  std::shared_ptr<Attempt> attempt = attempt_;
  if (!attempt) {
    attempt_ = attempt = std::make_shared<Attempt>(executor);
    try {
      co_await run(attempt, why);
    } catch (const Error& error) {
      attempt->obtained = error;
    }
    attempt_.reset();
    attempt->over.cancel();
  } else {
    asio::error_code ignored;
    co_await attempt->over.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (!attempt->obtained) throw child_died();
  if (const auto* error = std::get_if<Error>(&*attempt->obtained)) throw *error;
  co_return std::get<Headers>(*attempt->obtained);
}

asio::awaitable<void> Authorizer::run(std::shared_ptr<Attempt> attempt, Authorization::Why why) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer pause(executor);
  while (look_ups_under_way() > 0) {
    pause.expires_after(10ms);
    co_await pause.async_wait(asio::use_awaitable);
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw system_error("cannot start a login", errno);
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const pid_t parent = getpid();
  attempt->child = fork();
  if (attempt->child == 0) be_the_child(authorization_, why, writing.get(), parent);
  if (attempt->child < 0) throw system_error("cannot start a login", errno);
  writing = Descriptor();

  WatchedDescriptor watched(executor, reading.get());
  std::string told;
  std::array<char, 4096> room;
  for (;;) {
    co_await watched.wait(WatchedDescriptor::For::wait_read, asio::use_awaitable);
    const ssize_t count = read(reading.get(), room.data(), room.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0 || told.size() > most_told) break;
    told.append(room.data(), static_cast<std::size_t>(count));
  }
  waitpid(attempt->child, nullptr, 0);
  attempt->child = -1;
  attempt->obtained = decode_obtained(told);
}

}  // namespace mayfly
