#include "cli/session/calling_ssh.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "access/core/text.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/platform.hpp"
#include "cli/session/login_prompt.hpp"
#include "cli/terminal/environment.hpp"

namespace mayfly::cli {
namespace {

// The options of ssh(1) that take an argument (OpenSSH 9.9, ssh.c, getopt).
constexpr std::string_view with_argument = "BbcDEeFIiJLlmOoPpQRSWw";
// From ssh to this process there may be a shell, and an ssh for each jump.
constexpr int most_ancestors = 12;

// Reads "BatchMode=yes" and "batchmode yes". Returns the value in lower case, or nullopt for
// another option than `wanted`.
std::optional<std::string> value_of(std::string_view option, std::string_view wanted) {
  constexpr std::string_view between = " \t=\"";
  const auto begin = option.find_first_not_of(between);
  if (begin == option.npos) return std::nullopt;
  const auto end = std::min(option.find_first_of(between, begin), option.size());
  if (to_lower(option.substr(begin, end - begin)) != wanted) return std::nullopt;
  const auto value = std::min(option.find_first_not_of(between, end), option.size());
  const auto value_end = std::min(option.find_first_of(between, value), option.size());
  return to_lower(option.substr(value, value_end - value));
}

class SshArguments {
 public:
  explicit SshArguments(const std::vector<std::string>& words) : words_(words) {}

  SshPurpose judge() {
    read();
    if (is_without_login_) return SshPurpose::no_login;
    return is_batch_.value_or(false) ? SshPurpose::batch : SshPurpose::connect;
  }
  bool names_user() {
    read();
    return names_user_;
  }
  bool leaves_multiplexing() {
    read();
    return !sets_multiplexing_;
  }

 private:
  void read() {
    int hosts = 0;
    for (at_ = 1; at_ < words_.size(); ++at_) {
      const std::string& word = words_[at_];
      const bool is_option = !ends_options_ && word.size() > 1 && word.front() == '-';
      if (is_option && word == "--")
        ends_options_ = true;
      else if (is_option)
        take(word);
      else if (++hosts == 2)
        break;  // the command
    }
  }

  // Takes the letters of one word, and the argument of the last one.
  void take(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const char letter = word[i];
      if (letter == 'G' || letter == 'O') is_without_login_ = true;
      if (letter == 'M' || letter == 'S') sets_multiplexing_ = true;
      if (with_argument.find(letter) == with_argument.npos) continue;
      std::string argument = word.substr(i + 1);
      if (argument.empty() && at_ + 1 < words_.size()) argument = words_[++at_];
      if (letter == 'o' &&
          (value_of(argument, "controlpath") || value_of(argument, "controlmaster")))
        sets_multiplexing_ = true;
      // ssh takes the first value of an option.
      if (letter == 'l' || (letter == 'o' && value_of(argument, "user"))) names_user_ = true;
      if (letter != 'o' || is_batch_) return;
      if (const auto batch = value_of(argument, "batchmode"))
        is_batch_ = *batch == "yes" || *batch == "true";
      return;
    }
  }

  const std::vector<std::string>& words_;
  std::size_t at_ = 1;
  bool ends_options_ = false, is_without_login_ = false, names_user_ = false;
  bool sets_multiplexing_ = false;
  std::optional<bool> is_batch_;
};

bool is_ssh(const ProcessFacts& facts) {
  return !facts.words.empty() && std::filesystem::path(facts.words.front()).filename() == "ssh";
}

// Returns each ssh among the ancestors of this process, the nearest first.
std::vector<CallingSsh> ancestors() {
  std::vector<CallingSsh> found;
  long pid = ::getppid();
  for (int i = 0; i < most_ancestors && pid > 1; ++i) {
    auto facts = process_facts(pid);
    if (!facts) break;
    if (is_ssh(*facts)) found.push_back({pid, std::move(facts->words)});
    pid = facts->parent;
  }
  return found;
}

bool has_terminal() {
  return static_cast<bool>(Descriptor(::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)));
}

}  // namespace

SshPurpose judge_ssh(const std::vector<std::string>& words) {
  return SshArguments(words).judge();
}

bool names_user(const std::vector<std::string>& words) {
  return SshArguments(words).names_user();
}

bool leaves_multiplexing(const std::vector<std::string>& words) {
  return SshArguments(words).leaves_multiplexing();
}

SshPurpose calling_ssh() {
  SshPurpose purpose = SshPurpose::unknown;
  for (const CallingSsh& ssh : ancestors()) purpose = std::max(purpose, judge_ssh(ssh.words));
  return purpose;
}

std::optional<CallingSsh> nearest_ssh() {
  std::vector<CallingSsh> all = ancestors();
  if (all.empty()) return std::nullopt;
  return std::move(all.front());
}

std::string objection_to_browser(ToldToShow told) {
  if (calling_ssh() == SshPurpose::batch) return "ssh runs in BatchMode";
  if (told == ToldToShow::yes || !variable("BROWSER").empty() || has_terminal() ||
      desktop_of_this_process() != Desktop::none)
    return "";
  return "nobody would see a browser, since there is neither a terminal nor a display";
}

}  // namespace mayfly::cli
