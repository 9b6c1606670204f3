#include "last_input.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

// AddressSanitizer ends a program without a signal; it calls this when it is there.
extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());

namespace mayfly::fuzz {
namespace {

std::string place;
std::string_view last;

void say(std::string_view text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

void save() {
  const int file = ::open(place.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0 || ::write(file, last.data(), last.size()) != static_cast<ssize_t>(last.size()))
    return say("the input could not be saved\n");
  say("the input is in ");
  say(place);
  say("\n");
}

void on_signal(int number) {
  save();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

}  // namespace

void save_last_input_to(std::string path) {
  place = std::move(path);
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    std::signal(number, on_signal);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(save);
}

void trying(std::string_view input) {
  last = input;
}

}  // namespace mayfly::fuzz
