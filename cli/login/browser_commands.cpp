#include "cli/login/browser_commands.hpp"

#include "access/core/text.hpp"

namespace mayfly::cli {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

Words words_of(std::string_view alternative, const std::string& url) {
  Words words;
  bool has_url = false;
  for (const std::string_view word : split(alternative, ' ')) {
    if (word.empty()) continue;
    has_url = has_url || word.find("%s") != std::string_view::npos;
    words.push_back(replaced(std::string(word), "%s", url));
  }
  if (!words.empty() && words.back() == "&") words.pop_back();  // it runs beside us as it is
  if (!words.empty() && !has_url) words.push_back(url);
  return words;
}

// Each is there on some machines only. PowerShell takes what is between single quotes as it is;
// cmd.exe would end the command at an "&".
void add_commands_of_windows(std::vector<Words>& commands, const std::string& url) {
  commands.push_back({"wslview", url});
  commands.push_back({"powershell.exe", "-NoProfile", "-NonInteractive", "-Command",
                      "Start-Process '" + replaced(url, "'", "''") + "'"});
  commands.push_back({"cmd.exe", "/c", "start", "", replaced(url, "&", "^&")});
}

}  // namespace

std::vector<Words> browser_commands(const std::string& url, std::string_view preferred,
                                    Desktop desktop) {
  std::vector<Words> commands;
  for (const std::string_view alternative : split(preferred, ':')) {
    if (Words words = words_of(alternative, url); !words.empty())
      commands.push_back(std::move(words));
  }
  if (desktop == Desktop::windows_subsystem) add_commands_of_windows(commands, url);
  if (desktop != Desktop::none) commands.push_back({"xdg-open", url});
  return commands;
}

}  // namespace mayfly::cli
