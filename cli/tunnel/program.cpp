#include "cli/tunnel/program.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/text.hpp"
#include "access/listen/supervisor_link.hpp"
#include "access/system/child_environment.hpp"
#include "access/system/foreground_program.hpp"
#include "access/system/forked_child.hpp"
#include "access/system/framed_message.hpp"
#include "access/system/interrupt.hpp"
#include "cli/terminal/message.hpp"

namespace mayfly::cli {
namespace {

constexpr int not_found = 127, not_executable = 126;  // POSIX, of env(1) and shells
constexpr int of_signal = 128;
// A listener delivers for at most 30 s (access/listen/local_server.cpp).
constexpr int patience_ms = 35'000;
constexpr char ready_mark = 'r', error_mark = 'e';

void lead_to_nothing(int standard) {
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (nothing) ::dup2(nothing.get(), standard);
}

// Returns the word with each of the names replaced once, so that a value may hold a name.
std::string with_values(std::string_view word, const ProgramAddress& address) {
  const std::pair<std::string_view, const std::string&> values[] = {{"{host}", address.host},
                                                                    {"{port}", address.port},
                                                                    {"{address}", address.address},
                                                                    {"{url}", address.url}};
  std::string text;
  while (!word.empty()) {
    const auto* const value =
        std::find_if(std::begin(values), std::end(values),
                     [&](const auto& one) { return word.starts_with(one.first); });
    const bool is_name = value != std::end(values);
    text += is_name ? std::string_view(value->second) : word.substr(0, 1);
    word.remove_prefix(is_name ? value->first.size() : 1);
  }
  return text;
}

int serve_in_child(const ProgramRun& run, int socket) {
  try {
    run.serve(ProgramLink(socket));
    return 0;
  } catch (const Error& error) {
    send_message(socket, error_mark + encode_error(error));
  } catch (const std::exception& error) {
    send_message(socket, error_mark + encode_error(Error(ErrorKind::failed, error.what())));
  }
  return 1;
}

// The process of the listener, which ends with this object.
class ListenerProcess {
 public:
  explicit ListenerProcess(const ProgramRun& run) {
    SocketPair sockets = make_socket_pair("cannot start a listener");
    socket_ = std::move(sockets.ours);
    pid_ = fork_to([&] {
      socket_ = Descriptor();
      return serve_in_child(run, sockets.theirs.get());
    });
    if (pid_ < 0) throw system_error("cannot start a listener", errno);
  }
  // Lets the listener deliver what it has, and waits for it.
  ~ListenerProcess() {
    tell_program_has_ended(socket_.get());
    if (wait(patience_ms) == Woken::by_signal) {
      ::kill(pid_, SIGTERM);
      wait_for_end(patience_ms);
    }
    ::kill(pid_, SIGKILL);  // only this process waits for it: its number is still its own
    uninterrupted([&] { return ::waitpid(pid_, nullptr, 0); });
  }
  ListenerProcess(const ListenerProcess&) = delete;
  ListenerProcess& operator=(const ListenerProcess&) = delete;

  pid_t pid() const noexcept { return pid_; }
  int socket() const noexcept { return socket_.get(); }

  // Returns the address once the listener is ready. Throws its Error.
  ProgramAddress wait_until_ready() const {
    if (wait(-1) == Woken::by_signal) {
      ::kill(pid_, interrupted_by());  // it tells why it ends
      wait_for_end(patience_ms);
    }
    const auto message = receive_message(socket_.get());
    if (message && message->starts_with(ready_mark)) return address_in(message->substr(1));
    throw error_in(message);
  }
  // Prints the error of a listener that ended before its program.
  void explain_end() const {
    const auto message = receive_message(socket_.get());
    print_error(error_in(message));
  }

 private:
  enum class Woken { by_listener, by_signal, by_time };

  Woken wait(int within_ms) const {
    pollfd watched[] = {{.fd = interrupt_descriptor(), .events = POLLIN, .revents = 0},
                        {.fd = socket_.get(), .events = POLLIN, .revents = 0}};
    const int count = uninterrupted([&] { return ::poll(watched, std::size(watched), within_ms); });
    if (count == 0) return Woken::by_time;
    return watched[1].revents != 0 ? Woken::by_listener : Woken::by_signal;
  }
  void wait_for_end(int within_ms) const {
    pollfd watched{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    uninterrupted([&] { return ::poll(&watched, 1, within_ms); });
  }
  static ProgramAddress address_in(std::string_view text) {
    ProgramAddress address;
    for (std::string* part : {&address.host, &address.port, &address.address, &address.url})
      *part = take_part(text).value_or("");
    return address;
  }
  static Error error_in(const std::optional<std::string>& message) {
    if (message && message->starts_with(error_mark))
      if (auto error = decode_error(std::string_view(*message).substr(1))) return *error;
    return {ErrorKind::failed, "the process of the listener has ended", "try again"};
  }

  Descriptor socket_;
  pid_t pid_ = 0;
};

// The result of a program that could not be executed.
int explain(const std::string& word, int error) {
  const bool is_missing = error == ENOENT;
  print_error(Error(ErrorKind::failed,
                    fmt::format("cannot run {}: {}", printable(word),
                                is_missing ? "there is no such program" : std::strerror(error)),
                    is_missing ? "check its name, and PATH" : "check that it may be executed"));
  return is_missing ? not_found : not_executable;
}

ChildEnvironment environment_with(const ProgramAddress& address) {
  // The program connects through the same proxies as this process.
  return ChildEnvironment({{"MAYFLY_HOST", address.host},
                           {"MAYFLY_PORT", address.port},
                           {"MAYFLY_ADDRESS", address.address},
                           {"MAYFLY_URL", address.url}},
                          ChildEnvironment::ProxyPasswords::kept);
}

}  // namespace

ProgramAddress program_address(const ListenAddress& address, std::string_view scheme) {
  if (address.family == ListenAddress::Family::unix_socket)
    return {.host = address.path,
            .port = "",
            .address = "unix:" + address.path,
            .url = "unix:" + address.path};
  // The program cannot connect to an address that stands for all addresses.
  std::string host = address.host;
  if (host.empty() || host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  const std::string authority = host_port(host, address.port);
  return {.host = host,
          .port = std::to_string(address.port),
          .address = authority,
          .url = fmt::format("{}://{}", scheme, authority)};
}

std::vector<std::string> words_with(std::vector<std::string> words, const ProgramAddress& address) {
  for (std::string& word : words) word = with_values(word, address);
  return words;
}

void ProgramLink::open_once(Session& session, const Url& url) const {
  session.credentials().try_out(url, Credentials::Person::present);
  session.close_connections();
  // From here on Ctrl-C and Ctrl-Z are the program's: a tunnel goes on while the program is
  // stopped.
  ::setpgid(0, 0);
  ::signal(SIGTTOU, SIG_IGN);  // messages reach the terminal from the background, too
  lead_to_nothing(STDIN_FILENO);
  lead_to_nothing(STDOUT_FILENO);
}

void ProgramLink::tell_ready(const ProgramAddress& address) const {
  std::string message(1, ready_mark);
  for (const std::string& part : {address.host, address.port, address.address, address.url})
    put_part(message, part);
  send_message(socket_, message);
}

int run_with_listener(const ProgramRun& run) {
  const ListenerProcess listener(run);
  const ProgramAddress address = listener.wait_until_ready();
  run.ready();
  const auto words = words_with(run.words, address);
  const ProgramEnd end = run_in_foreground({.words = words,
                                            .environment = environment_with(address),
                                            .companion = listener.pid(),
                                            .started =
                                                [&](pid_t program) {
                                                  tell_program(listener.socket(), program);
                                                  // A reader of the program's output need not wait
                                                  // for this process.
                                                  lead_to_nothing(STDIN_FILENO);
                                                  lead_to_nothing(STDOUT_FILENO);
                                                },
                                            .has_to_end = run.has_to_end});
  if (end.companion_ended) listener.explain_end();
  return end.start_error != 0 ? explain(words.front(), end.start_error) : end.exit_code;
}

}  // namespace mayfly::cli
