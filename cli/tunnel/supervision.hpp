// A listener's life beside other processes: the program that it serves, and its supervisor.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "access/listen/listener.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/session/session.hpp"
#include "cli/tunnel/events.hpp"
#include "cli/tunnel/program.hpp"

namespace mayfly::cli {

struct SupervisionFlags {
  std::vector<std::string> program;  // the words behind "--"
  std::string events, pid_file;
  bool exit_with_parent = false;
};
void bind_supervision(Parser& parser, SupervisionFlags& flags);

// Whether a command listens, without an address that it is given: the service manager has passed
// sockets, or a program needs a listener.
class Supervision {
 public:
  // Takes over the sockets of a service manager, unless `listeners` names addresses. Adds a free
  // port of 127.0.0.1 to `listeners` if a program needs one.
  Supervision(const SupervisionFlags& flags, std::vector<std::string>& listeners);
  Supervision(const Supervision&) = delete;
  Supervision& operator=(const Supervision&) = delete;

  // The addresses of the sockets of a service manager.
  const std::vector<ListenAddress>& inherited() const noexcept { return inherited_; }
  // Throws usage Error if a flag is given that only a listener obeys.
  void refuse_without_listener() const;
  // Runs the listener, in a child process if there is a program. Returns the exit code of `serve`,
  // or of the program.
  int run(const std::function<int()>& serve);

  // For `serve`: whether log lines that are no warnings go to standard error.
  LogSettings::Terminal log() const noexcept {
    return flags_.program.empty() ? LogSettings::Terminal::lines : LogSettings::Terminal::warnings;
  }
  // Opens the application once if a program waits for it.
  void open_once(Session& session, const Url& url) const;
  void watch_logins(LoginPrompt& prompt) const { events_.watch_logins(prompt); }
  // Sets the reports of a listener whose other options are final, and confines it. scheme: of
  // MAYFLY_URL. name: the application's.
  void watch(ListenOptions& options, std::string_view scheme, const std::string& name) const;
  void watch_tunnels(ListenerOptions& options) const { events_.watch_tunnels(options); }
  // The files that the listener removes at its end.
  std::vector<std::string> removed() const;

 private:
  int run_supervised(const std::function<int()>& serve);

  const SupervisionFlags& flags_;
  std::vector<ListenAddress> inherited_;
  long parent_;
  Events events_;
  const ProgramLink* link_ = nullptr;
};

}  // namespace mayfly::cli
