#include "access/system/foreground_program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <optional>
#include <utility>

#include "access/core/error.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/forked_child.hpp"
#include "access/system/interrupt.hpp"
#include "access/system/spawn_settings.hpp"

namespace mayfly {
namespace {

constexpr int passed_on[] = {SIGTERM, SIGINT, SIGHUP};
constexpr timespec between_questions{.tv_sec = 0, .tv_nsec = 500'000'000};
constexpr int of_signal = 128;  // added to a signal's number in an exit code, as shells do

bool is_ignored(int number) {
  struct sigaction action {};
  return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void do_nothing(int) {}

// Holds the signals back while it lives, so that they can be taken one by one.
class TakenSignals {
 public:
  TakenSignals() {
    ::sigemptyset(&taken_);
    ::sigaddset(&taken_, SIGCHLD);
    // A signal that nohup or a shell has set to be ignored stays ignored.
    for (const int number : passed_on)
      if (!is_ignored(number)) ::sigaddset(&taken_, number);
    // A signal that is discarded by default would not wait to be taken.
    struct sigaction keep {};
    keep.sa_handler = do_nothing;
    ::sigaction(SIGCHLD, &keep, &child_before_);
    ::sigprocmask(SIG_BLOCK, &taken_, &before_);
  }
  ~TakenSignals() {
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    ::sigaction(SIGCHLD, &child_before_, nullptr);
  }
  TakenSignals(const TakenSignals&) = delete;
  TakenSignals& operator=(const TakenSignals&) = delete;

  // Waits at most half a second. Returns the signal, or nullopt.
  std::optional<siginfo_t> take() const {
    siginfo_t info{};
    if (::sigtimedwait(&taken_, &info, &between_questions) < 0) return std::nullopt;
    return info;
  }
  // For the child, just before it becomes the program.
  void let_go() const {
    for (const int number : passed_on)
      if (!is_ignored(number)) ::signal(number, SIG_DFL);
    for (const int number : ignored_signals) ::signal(number, SIG_DFL);
    ::signal(SIGCHLD, SIG_DFL);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t taken_{}, before_{};
  struct sigaction child_before_ {};
};

// The terminal sends its signals to the whole process group.
bool is_from_a_process(const siginfo_t& info) {
  return info.si_code <= 0 || info.si_code == SI_USER;
}

int execute(const ForegroundProgram& program, const TakenSignals& signals) {
  std::vector<char*> words;
  for (const std::string& word : program.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  environ = const_cast<char**>(program.environment.get());
  signals.let_go();
  ::execvp(words[0], words.data());
  return errno;
}

struct Started {
  pid_t pid = 0;
  int error = 0;
};

Started start(const ForegroundProgram& program, const TakenSignals& signals) {
  Pipe failure = make_pipe("cannot start a program");
  const pid_t pid = fork_to([&] {
    const int error = execute(program, signals);
    write_all(failure.writing.get(), {reinterpret_cast<const char*>(&error), sizeof error});
    return 1;
  });
  if (pid < 0) throw system_error("cannot start a program", errno);
  failure.writing = Descriptor();
  int error = 0;
  if (read_all(failure.reading.get(), {reinterpret_cast<char*>(&error), sizeof error}) == 0)
    return {.pid = pid};
  int status = 0;
  uninterrupted([&] { return ::waitpid(pid, &status, 0); });
  return {.pid = pid, .error = error};
}

bool is_foreground_job() {
  const Descriptor terminal(::open("/dev/tty", O_RDONLY | O_CLOEXEC));
  return terminal && ::tcgetpgrp(terminal.get()) == ::getpgrp();
}

// The shell that waits for this process sees it stop, and both go on with `fg`.
void stop_with(pid_t program) {
  if (!is_foreground_job()) return;
  ::raise(SIGSTOP);
  ::kill(program, SIGCONT);
}

// Returns the exit code once the program has ended.
std::optional<int> look_at(pid_t program) {
  int status = 0;
  if (::waitpid(program, &status, WNOHANG | WUNTRACED) != program) return std::nullopt;
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  if (WIFSIGNALED(status)) return of_signal + WTERMSIG(status);
  stop_with(program);
  return std::nullopt;
}

bool has_ended(pid_t companion) {
  siginfo_t info{};
  return companion > 0 &&
         ::waitid(P_PID, static_cast<id_t>(companion), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == companion;
}

}  // namespace

ProgramEnd run_in_foreground(const ForegroundProgram& program) {
  const TakenSignals signals;
  if (const int number = interrupted_by(); number != 0) return {.exit_code = of_signal + number};
  const auto [pid, error] = start(program, signals);
  if (error != 0) return {.exit_code = 1, .start_error = error};
  program.started(pid);
  ProgramEnd end;
  bool is_told = false;
  for (;;) {
    const auto signal = signals.take();
    if (signal && signal->si_signo != SIGCHLD && is_from_a_process(*signal))
      ::kill(pid, signal->si_signo);
    if (const auto code = look_at(pid)) {
      end.exit_code = *code;
      return end;
    }
    end.companion_ended = end.companion_ended || has_ended(program.companion);
    if (is_told || (!end.companion_ended && !program.has_to_end())) continue;
    is_told = true;
    ::kill(pid, SIGTERM);
  }
}

}  // namespace mayfly
