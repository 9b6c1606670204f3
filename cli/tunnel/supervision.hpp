// A listener's life beside other processes: the program that it serves, and its supervisor.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "access/listen/listener.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/session/session.hpp"
#include "cli/tunnel/program.hpp"

namespace mayfly::cli {

struct SupervisionFlags {
  std::vector<std::string> program;  // the words behind "--"
};
void bind_supervision(Parser& parser, SupervisionFlags& flags);

// What one run of a listener does for these flags.
class Supervision {
 public:
  bool has_program() const noexcept { return link_ != nullptr; }
  // Whether log lines that are no warnings go to standard error.
  LogSettings::Terminal log() const noexcept {
    return has_program() ? LogSettings::Terminal::warnings : LogSettings::Terminal::lines;
  }
  // Opens the application once if a program waits for it.
  void open_once(Session& session, const Url& url) const;
  // Sets the reports of a listener whose other options are final. scheme: of MAYFLY_URL.
  void watch(ListenOptions& options, std::string_view scheme) const;

 private:
  friend int supervised(const SupervisionFlags& flags,
                        const std::function<int(const Supervision&)>& serve);
  const ProgramLink* link_ = nullptr;
};

// Runs the listener, in a child process if there is a program. Returns the exit code of `serve`, or
// of the program.
int supervised(const SupervisionFlags& flags, const std::function<int(const Supervision&)>& serve);

// The listener of a program that is given none.
inline constexpr const char* any_free_port = "127.0.0.1:0";

}  // namespace mayfly::cli
