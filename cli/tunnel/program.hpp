// The program that a listener serves: `mayfly tcp ... -- PROGRAM ARGUMENTS...`.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "access/listen/listen_address.hpp"
#include "cli/session/session.hpp"

namespace mayfly::cli {

// A listener's address as its program sees it.
struct ProgramAddress {
  std::string host, port, address, url;  // the port of a Unix socket is ""
};
// scheme: of the URL, such as "tcp".
ProgramAddress program_address(const ListenAddress& address, std::string_view scheme);

// Returns the words with {host}, {port}, {address} and {url} replaced.
std::vector<std::string> words_with(std::vector<std::string> words, const ProgramAddress& address);

// The listener's side, in a child process of the one that runs the program.
class ProgramLink {
 public:
  explicit ProgramLink(int socket) : socket_(socket) {}
  int socket() const noexcept { return socket_; }

  // Opens the application once, perhaps with a login, and leaves the terminal to the program.
  // Throws the Error that the program would meet.
  void open_once(Session& session, const Url& url) const;
  // Tells the other process that the listener is ready.
  void tell_ready(const ProgramAddress& address) const;

 private:
  int socket_;
};

struct ProgramRun {
  std::vector<std::string> words;
  // Runs the listener; called in a child process.
  std::function<void(const ProgramLink&)> serve;
  // Called in this process when the listener is ready, before the program starts.
  std::function<void()> ready = [] {};
  // Asked twice a second whether the program has to end.
  std::function<bool()> has_to_end = [] { return false; };
};

// Returns the exit code of the program: 128 and the number of its signal, 127 if it is not found,
// 126 if it cannot be executed. Throws the Error of a listener that did not become ready; the
// program does not start then. The listener has ended when this returns.
int run_with_listener(const ProgramRun& run);

}  // namespace mayfly::cli
