#include "cli/curl/watched_curl.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/interrupt.hpp"
#include "access/system/platform.hpp"
#include "cli/curl/line_filter.hpp"
#include "cli/curl/memory_file.hpp"
#include "cli/curl/redaction.hpp"
#include "cli/terminal/message.hpp"

namespace mayfly::cli {
namespace {

// Only the owner can read a new file, as all files of mayfly.
Descriptor open_for_writing(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600));
  if (!file) throw system_error("cannot write " + printable(path), errno);
  return file;
}

// Moves one output from the pipe through the redaction to its destination.
class Drain {
 public:
  Drain(CleanedOutput& output, const std::vector<Secret>& secrets)
      : output_(&output), redaction_(secrets), lines_(output.left_out) {
    if (is_text() && !output_->path.empty()) file_ = open_for_writing(output_->path);
  }

  int reading() const { return output_->pipe.reading.get(); }
  bool is_open() const { return reading() >= 0; }

  // Reads once. Closes the pipe at its end, or if the destination takes no more, so that curl sees
  // that as it would without mayfly.
  void move() {
    std::array<char, 16384> room;
    const ssize_t got = ::read(reading(), room.data(), room.size());
    if (got < 0 && errno == EINTR) return;
    const std::string_view piece(room.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    bool is_taken = true;
    if (output_->hear) output_->hear(piece);
    if (is_text())
      is_taken = write_all(destination(), got > 0 ? next(piece) : rest());
    else if (output_->as == CleanedOutput::As::cookie_jar)
      jar_ += piece;
    if (got <= 0 && output_->as == CleanedOutput::As::cookie_jar) write_jar();
    if (got <= 0 || !is_taken) output_->pipe.reading = Descriptor();
  }

 private:
  std::string next(std::string_view piece) { return lines_.next(redaction_.next(piece)); }

  std::string rest() {
    std::string text = lines_.next(redaction_.rest());
    return text + lines_.rest();
  }

  bool is_text() const { return output_->as == CleanedOutput::As::text; }
  int destination() const { return file_ ? file_.get() : output_->stream; }

  void write_jar() const {
    const std::string jar = cleaned_cookie_jar(jar_);
    if (jar.empty()) return;
    try {
      if (!write_all(open_for_writing(output_->path).get(), jar))
        throw system_error("cannot write " + printable(output_->path), errno);
    } catch (const Error& error) {
      print_warning(error.message());
    }
  }

  CleanedOutput* output_;
  Redaction redaction_;
  LineFilter lines_;
  Descriptor file_;
  std::string jar_;
};

[[noreturn]] void be_the_child(const std::vector<CleanedOutput>& outputs,
                               const std::function<void()>& become_curl) {
  end_with_parent();
  for (const CleanedOutput& output : outputs) {
    if (output.stream >= 0)
      ::dup2(output.pipe.writing.get(), output.stream);
    else
      hand_over(output.pipe.writing);
  }
  try {
    become_curl();
  } catch (const Error& error) {
    print_error(error);
    ::_exit(static_cast<int>(error.kind()));
  }
  ::_exit(1);
}

void drain(std::vector<Drain>& drains, pid_t curl) {
  bool is_interrupted = false;
  for (;;) {
    std::erase_if(drains, [](const Drain& one) { return !one.is_open(); });
    if (drains.empty()) return;
    std::vector<pollfd> watched = {{is_interrupted ? -1 : interrupt_descriptor(), POLLIN, 0}};
    for (const Drain& one : drains) watched.push_back({one.reading(), POLLIN, 0});
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
    if (!is_interrupted && interrupted_by() != 0) {
      ::kill(curl, interrupted_by());
      is_interrupted = true;
    }
    for (std::size_t i = 0; i < drains.size(); ++i)
      if (watched[i + 1].revents != 0) drains[i].move();
  }
}

int exit_code_of(pid_t curl) {
  int status = 0;
  uninterrupted([&] { return ::waitpid(curl, &status, 0); });
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  const int number = WTERMSIG(status);
  ::signal(number, SIG_DFL);
  ::kill(::getpid(), number);
  return 128 + number;
}

}  // namespace

int run_watched_curl(std::vector<CleanedOutput> outputs, const std::vector<Secret>& secrets,
                     const std::function<void()>& become_curl) {
  std::vector<Drain> drains;
  drains.reserve(outputs.size());
  for (CleanedOutput& output : outputs) drains.emplace_back(output, secrets);
  const pid_t curl = ::fork();
  if (curl < 0) throw system_error("cannot start curl", errno);
  if (curl == 0) be_the_child(outputs, become_curl);
  for (CleanedOutput& output : outputs) output.pipe.writing = Descriptor();
  drain(drains, curl);
  return exit_code_of(curl);
}

}  // namespace mayfly::cli
