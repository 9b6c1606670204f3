#include "access/system/child_output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/interrupt.hpp"
#include "access/system/spawn_settings.hpp"

namespace mayfly {
namespace {

constexpr std::size_t most_kept = std::size_t{256} * 1024;
constexpr int between_looks_ms = 20;

struct ListenedTo : SpawnSettings {
  ListenedTo(const Pipe& out, const Pipe& err) {
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out.writing.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err.writing.get(), STDERR_FILENO);
  }
};

// The leader of a session: killed with all that belongs to it.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::kill(-pid_, SIGKILL);
    if (!ended_) ::waitpid(pid_, nullptr, 0);
  }

  bool has_ended() {
    ended_ = ended_ || ::waitpid(pid_, &status_, WNOHANG) == pid_;
    return ended_;
  }
  int status() const { return status_; }

 private:
  pid_t pid_;
  int status_ = 0;
  bool ended_ = false;
};

// What is there now.
void take(const Descriptor& from, std::string& into) {
  std::array<char, 4096> room{};
  for (;;) {
    const ssize_t got = uninterrupted([&] { return ::read(from.get(), room.data(), room.size()); });
    if (got <= 0) return;
    into.append(room.data(), std::min(static_cast<std::size_t>(got), most_kept - into.size()));
  }
}

void wait_for_more(const Pipe& out, const Pipe& err) {
  std::array<pollfd, 3> watched{{{out.reading.get(), POLLIN, 0},
                                 {err.reading.get(), POLLIN, 0},
                                 {interrupt_descriptor(), POLLIN, 0}}};
  ::poll(watched.data(), watched.size(), between_looks_ms);
  if (interrupted_by() != 0) throw Error(ErrorKind::failed, "interrupted");
}

ChildOutput listen_to(Child& child, const Pipe& out, const Pipe& err, const TimeLimit& limit) {
  ChildOutput output;
  for (;;) {
    const bool ended = child.has_ended();  // first: what it wrote before is there by now
    take(out.reading, output.out);
    take(err.reading, output.err);
    if (ended) break;
    if (limit.is_over()) {
      output.how = ChildOutput::How::timed_out;
      return output;
    }
    wait_for_more(out, err);
  }
  if (WIFEXITED(child.status()))
    output.exit_code = WEXITSTATUS(child.status());
  else
    output.how = ChildOutput::How::killed;
  return output;
}

}  // namespace

ChildOutput run_child(const ChildProgram& program) {
  const std::string no_pipe = "cannot read from " + program.words.front();
  const Pipe out = make_pipe(no_pipe), err = make_pipe(no_pipe);
  for (const Pipe* one : {&out, &err}) ::fcntl(one->reading.get(), F_SETFL, O_NONBLOCK);
  ListenedTo settings(out, err);
  pid_t pid = 0;
  const int error = settings.spawn(pid, program.words, ChildEnvironment(program.variables));
  if (error == ENOENT || error == EACCES || error == ENOTDIR)
    return {.how = ChildOutput::How::not_found, .out = {}, .err = {}};
  if (error != 0) throw system_error("cannot run " + program.words.front(), error);
  Child child(pid);
  return listen_to(child, out, err, TimeLimit(program.patience));
}

}  // namespace mayfly
