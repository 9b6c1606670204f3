// A login that goes on when the command that began it ends: ssh gives its connection up, and the
// person is still at the browser.
#pragma once

#include <chrono>
#include <functional>

namespace mayfly {

struct DetachedLogin {
  // Makes the process that runs it the holder of the login's locks.
  std::function<void()> take_over;
  // Logs in and stores the tokens. Throws Error. leave: to be called about once a second; lets go
  // of standard error once the command has ended.
  std::function<void(const std::function<void()>& leave)> log_in;
  // Called in this process about once a second until the login has ended.
  std::function<void(std::chrono::seconds left)> waiting;
  std::chrono::seconds patience;
};

// Runs take_over() and log_in() in a process of their own (fork_detached()), and returns when the
// login has succeeded. Throws the Error of the login; Error(login_needed) at a signal: SIGINT
// (Ctrl-C) ends the login, while SIGHUP (ssh has given up, or a terminal is gone) and SIGTERM leave
// it; Error(failed) if no process can be forked.
void run_detached_login(const DetachedLogin& login);

}  // namespace mayfly
