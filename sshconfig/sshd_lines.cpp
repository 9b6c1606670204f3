#include "sshconfig/sshd_lines.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "access/core/error.hpp"
#include "access/core/text.hpp"

namespace mayfly::sshconfig {
namespace {

constexpr std::string_view letters_and_digits =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::string_view owner_mark =
    "# Written by mayfly sshd-config --write; removed by mayfly sshd-config --remove.\n";
constexpr std::string_view begin_mark = "# mayfly: begin sshd-config";
// The text before had no line feed at its end.
constexpr std::string_view joined_begin_mark = "# mayfly: begin sshd-config after an open line";
constexpr std::string_view end_mark =
    "# mayfly: end sshd-config; your own lines belong above the begin, as Match holds on";
constexpr std::string_view end_mark_begin = "# mayfly: end sshd-config";

bool has_only(std::string_view text, std::string_view others) {
  return text.find_first_not_of(std::string(letters_and_digits).append(others)) ==
         std::string_view::npos;
}

void check_user(std::string_view user) {
  if (user.empty() || user.front() == '-' || user.front() == '.' || !has_only(user, "._-@+"))
    throw Error(ErrorKind::usage, fmt::format("{} is not a user name", printable(user)),
                "give --principals USER=NAME[,NAME...] with the name of one account");
}

// RFC 5322 section 3.2.3 (atext), but for "#", with which a comment begins, and for the characters
// of patterns.
void check_principal(std::string_view name) {
  const auto at = name.find('@');
  if (at != std::string_view::npos && at > 0) {
    throw Error(ErrorKind::usage,
                fmt::format("{} is an email address, and no certificate names one as principal",
                            printable(name)),
                fmt::format("give the part before the @: {}", printable(name.substr(0, at))));
  }
  if (name.empty() || !has_only(name, ".$%&'+/=^_`{|}~-"))
    throw Error(ErrorKind::usage, fmt::format("{} is not a principal", printable(name)),
                "give --principals USER=NAME[,NAME...]");
}

UserPrincipals parse_one(std::string_view value) {
  const auto equals = value.find('=');
  if (equals == std::string_view::npos) {
    throw Error(ErrorKind::usage,
                fmt::format("--principals {} names no principal", printable(value)),
                "give --principals USER=NAME[,NAME...]");
  }
  UserPrincipals result{std::string(value.substr(0, equals)), {}};
  check_user(result.user);
  for (const std::string_view name : split(value.substr(equals + 1), ',')) {
    check_principal(name);
    result.names.emplace_back(name);
  }
  return result;
}

void add_names(std::vector<std::string>& names, const std::vector<std::string>& more) {
  for (const std::string& name : more)
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

// Splits as sshd does: blanks and one "=" part words, double quotes hold them together, and a word
// that begins with "#" begins a comment.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  for (std::size_t at = 0;;) {
    at = line.find_first_not_of(words.size() == 1 ? " \t\r\f=" : " \t\r\f", at);
    if (at == std::string_view::npos || line[at] == '#') return words;
    std::string word;
    bool is_quoted = false;
    for (; at < line.size(); ++at) {
      if (line[at] == '"')
        is_quoted = !is_quoted;
      else if (!is_quoted &&
               (std::string_view(" \t\r\f").find(line[at]) != std::string_view::npos ||
                (words.empty() && line[at] == '=')))
        break;
      else
        word += line[at];
    }
    words.push_back(std::move(word));
  }
}

struct Section {
  std::size_t start, end;
};

[[noreturn]] void refuse_broken() {
  throw Error(ErrorKind::failed,
              "cannot read sshd's configuration: a line of mayfly is without its other one",
              fmt::format("look for \"{}\" and \"{}\", and remove the lines of mayfly there",
                          begin_mark, end_mark_begin));
}

// Returns an empty section at npos if the text has no lines of mayfly.
Section section_of(std::string_view text) {
  Section section{std::string_view::npos, std::string_view::npos};
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size() - 1) + 1;
    const std::string_view line = text.substr(start, end - start);
    const bool begins = line.starts_with(begin_mark), ends = line.starts_with(end_mark_begin);
    const bool is_open = section.start != std::string_view::npos;
    if ((begins && is_open) || (ends && (!is_open || section.end != std::string_view::npos)))
      refuse_broken();
    if (begins)
      section.start = line.starts_with(joined_begin_mark) && start > 0 ? start - 1 : start;
    if (ends) section.end = end;
    start = end;
  }
  if ((section.start == std::string_view::npos) != (section.end == std::string_view::npos))
    refuse_broken();
  return section;
}

std::size_t first_match(std::string_view text) {
  for (const SshdLine& line : sshd_config_lines(text))
    if (line.keyword == "match") return line.start;
  return text.size();
}

std::string absolute_pattern(const std::string& pattern) {
  return pattern.starts_with('/') ? pattern : "/etc/ssh/" + pattern;
}

}  // namespace

std::string SshdFiles::principals_of(std::string_view user) const {
  return fmt::format("{}/{}", principals_directory, user);
}

SshdFiles sshd_files(const std::string& config) {
  const auto slash = config.rfind('/');
  if (!config.starts_with('/') || slash == 0 || !has_only(config, "/._-+,:@")) {
    throw Error(ErrorKind::usage,
                fmt::format("mayfly cannot name files beside {}", printable(config, 4096)),
                "--file takes an absolute path without blanks and other special characters");
  }
  const std::string directory = config.substr(0, slash);
  return {.config = config,
          .directory = directory,
          .ca = directory + "/mayfly_ca.pub",
          .principals_directory = directory + "/mayfly_principals",
          .drop_in_directory = directory + "/sshd_config.d",
          .drop_in = directory + "/sshd_config.d/mayfly.conf"};
}

std::vector<UserPrincipals> parse_principals(const std::vector<std::string>& values) {
  std::vector<UserPrincipals> result;
  for (const std::string& value : values) {
    UserPrincipals one = parse_one(value);
    const auto same = std::find_if(result.begin(), result.end(),
                                   [&](const auto& known) { return known.user == one.user; });
    add_names(same == result.end() ? result.emplace_back(UserPrincipals{one.user, {}}).names
                                   : same->names,
              one.names);
  }
  return result;
}

std::string sshd_lines(const SshdFiles& files, const std::vector<UserPrincipals>& principals) {
  std::string lines = fmt::format("TrustedUserCAKeys {}\n", files.ca);
  for (const UserPrincipals& one : principals)
    lines += fmt::format("Match User {}\n  AuthorizedPrincipalsFile {}\n", one.user,
                         files.principals_of(one.user));
  return lines;
}

std::string with_owner_mark(std::string_view body) {
  return std::string(owner_mark).append(body);
}

bool has_owner_mark(std::string_view content) {
  return content.starts_with(owner_mark);
}

std::string with_sshd_lines(std::string_view text, std::string_view lines) {
  std::string result = without_sshd_lines(text);
  const std::size_t place = first_match(result);
  const bool is_open = place == result.size() && !result.empty() && result.back() != '\n';
  return result.insert(place,
                       fmt::format("{}{}\n{}{}\n", is_open ? "\n" : "",
                                   is_open ? joined_begin_mark : begin_mark, lines, end_mark));
}

std::string without_sshd_lines(std::string_view text) {
  std::string result(text);
  const Section section = section_of(text);
  if (section.start != std::string_view::npos)
    result.erase(section.start, section.end - section.start);
  return result;
}

bool has_sshd_lines(std::string_view text) {
  return section_of(text).start != std::string_view::npos;
}

std::vector<SshdLine> sshd_config_lines(std::string_view text) {
  std::vector<SshdLine> lines;
  std::size_t start = 0;
  for (const std::string_view line : split(text, '\n')) {
    std::vector<std::string> words = words_of(line);
    SshdLine one{lines.size() + 1, start, "", {}};
    if (!words.empty()) {
      one.keyword = to_lower(words.front());
      one.words.assign(std::make_move_iterator(words.begin() + 1),
                       std::make_move_iterator(words.end()));
    }
    lines.push_back(std::move(one));
    start += line.size() + 1;
  }
  return lines;
}

std::vector<std::string> included_patterns(std::string_view text) {
  std::vector<std::string> patterns;
  for (const SshdLine& line : sshd_config_lines(text)) {
    if (line.keyword == "match") break;
    if (line.keyword != "include") continue;
    for (const std::string& word : line.words) patterns.push_back(absolute_pattern(word));
  }
  return patterns;
}

std::size_t include_of(std::string_view text, const std::string& path) {
  for (const SshdLine& line : sshd_config_lines(text)) {
    if (line.keyword == "match") break;
    if (line.keyword != "include") continue;
    for (const std::string& word : line.words)
      if (::fnmatch(absolute_pattern(word).c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0)
        return line.start;
  }
  return std::string_view::npos;
}

}  // namespace mayfly::sshconfig
