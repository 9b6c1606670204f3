#include "sshconfig/hosts.hpp"

#include <glob.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "access/core/text.hpp"

namespace mayfly::sshconfig {
namespace {

// The depth to which ssh itself follows Include.
constexpr int max_depth = 16;
constexpr std::size_t max_files = 64, max_bytes = 1 << 20;
constexpr std::string_view blanks = " \t\r";

struct Line {
  std::string keyword;              // lower case
  std::vector<std::string> values;  // without their quotes
};

std::string take_word(std::string_view& rest) {
  std::string word;
  bool quoted = false;
  std::size_t i = 0;
  for (; i < rest.size() && (quoted || blanks.find(rest[i]) == std::string_view::npos); ++i) {
    if (rest[i] == '"')
      quoted = !quoted;
    else
      word += rest[i];
  }
  rest.remove_prefix(i);
  return word;
}

void skip_blanks(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
}

Line read_line(std::string_view text) {
  Line line;
  skip_blanks(text);
  if (text.starts_with('#')) return line;
  const auto end = std::min(text.find_first_of(" \t\r="), text.size());
  line.keyword = to_lower(text.substr(0, end));
  text.remove_prefix(end);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r="), text.size()));
  for (; !text.empty(); skip_blanks(text)) line.values.push_back(take_word(text));
  return line;
}

bool is_plain(std::string_view name) {
  return !name.empty() && name.find_first_of("*?!%") == std::string_view::npos;
}

void add_names(std::vector<std::string>& names, std::string_view list) {
  for (const std::string_view name : split(list, ','))
    if (is_plain(name)) names.emplace_back(name);
}

// Returns the names in the host criteria of a Match line.
std::vector<std::string> names_of_match(const Line& line) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i + 1 < line.values.size(); ++i) {
    const std::string criterion = to_lower(line.values[i]);
    if (criterion == "host" || criterion == "originalhost") add_names(names, line.values[i + 1]);
  }
  return names;
}

std::vector<std::string> names_of_host(const Line& line) {
  std::vector<std::string> names;
  for (const std::string& value : line.values) add_names(names, value);
  return names;
}

// Returns the value of --hostname, which may be "%h"; "" for a command that is not a tunnel.
std::string hostname_of(std::string_view command) {
  constexpr std::string_view flag = "-hostname";
  const auto place = command.find(flag);
  if (place == std::string_view::npos ||
      command.substr(0, place).find(" ssh") == std::string_view::npos)
    return "";
  std::string_view rest = command.substr(place + flag.size());
  rest.remove_prefix(std::min(rest.find_first_not_of("= '\""), rest.size()));
  return std::string(rest.substr(0, rest.find_first_of(" '\"")));
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += " " + word;
  return text;
}

std::vector<Line> read_lines(std::string_view config) {
  std::vector<Line> lines;
  for (const std::string_view text : split(config, '\n')) lines.push_back(read_line(text));
  return lines;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content(max_bytes, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(file.gcount()));
  return content;
}

std::vector<std::string> files_of(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> files;
  if (::glob(pattern.c_str(), GLOB_TILDE, nullptr, &found) == 0)
    files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return files;
}

class Walk {
 public:
  explicit Walk(const std::string& ssh_directory) : directory_(ssh_directory) {}

  void read(const std::string& path, int depth) {
    if (depth > max_depth || !seen_.insert(path).second || seen_.size() > max_files) return;
    const std::string config = content_of(path);
    hosts_.merge(set_of(tunnelled_hosts(config)));
    for (const Line& line : read_lines(config)) {
      if (line.keyword != "include") continue;
      for (const std::string& pattern : line.values) follow(pattern, depth + 1);
    }
  }

  std::vector<std::string> hosts() const { return {hosts_.begin(), hosts_.end()}; }

 private:
  static std::set<std::string> set_of(const std::vector<std::string>& list) {
    return {list.begin(), list.end()};
  }

  void follow(const std::string& pattern, int depth) {
    const bool is_absolute = pattern.starts_with('/') || pattern.starts_with('~');
    for (const std::string& file : files_of(is_absolute ? pattern : directory_ + "/" + pattern))
      read(file, depth);
  }

  std::string directory_;
  std::set<std::string> seen_, hosts_;
};

}  // namespace

std::vector<std::string> tunnelled_hosts(std::string_view config) {
  std::vector<std::string> hosts, names;
  for (const Line& line : read_lines(config)) {
    if (line.keyword == "host") names = names_of_host(line);
    if (line.keyword == "match") names = names_of_match(line);
    if (line.keyword != "match" && line.keyword != "proxycommand") continue;
    const std::string hostname = hostname_of(joined(line.values));
    if (hostname == "%h") hosts.insert(hosts.end(), names.begin(), names.end());
    if (is_plain(hostname)) hosts.push_back(hostname);
  }
  return hosts;
}

std::vector<std::string> configured_hosts(const std::string& ssh_directory) {
  Walk walk(ssh_directory);
  walk.read(ssh_directory + "/config", 0);
  return walk.hosts();
}

}  // namespace mayfly::sshconfig
