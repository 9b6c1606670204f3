#include "sshconfig/edit.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "sshconfig/quote.hpp"

namespace mayfly::sshconfig {
namespace {

constexpr std::string_view head =
    "# Written by mayfly ssh-config --write; taken out by mayfly ssh-config --remove.\n";
constexpr std::string_view made_note = "# mayfly: made config\n";
constexpr std::string_view begin_mark = "# mayfly: begin ";
constexpr std::string_view end_mark = "# mayfly: end ";

struct Line {
  std::size_t start, end;  // newline included
  std::string_view words;  // without the line ending and the blanks around it
};

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  for (std::size_t start = 0; start < text.size();) {
    const auto newline = text.find('\n', start);
    const std::size_t end = newline == std::string_view::npos ? text.size() : newline + 1;
    std::string_view words = text.substr(start, end - start);
    while (!words.empty() && (words.back() == '\n' || words.back() == '\r')) words.remove_suffix(1);
    lines.push_back({start, end, trim(words)});
    start = end;
  }
  return lines;
}

struct Section {
  std::string host;
  std::size_t start, end;  // its marks and the blank line before it included
};

[[noreturn]] void refuse_broken(std::string_view host) {
  throw Error(
      ErrorKind::failed,
      fmt::format("cannot read our ssh_config: the block for {} has no end line", printable(host)),
      fmt::format("put \"{}{}\" after it, or remove it", end_mark, printable(host)));
}

std::vector<Section> sections_of(std::string_view own_file) {
  std::vector<Section> sections;
  const std::vector<Line> lines = lines_of(own_file);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!lines[i].words.starts_with(begin_mark)) continue;
    const std::string host(lines[i].words.substr(begin_mark.size()));
    const bool blank_before = i > 0 && lines[i - 1].words.empty();
    const std::size_t start = lines[blank_before ? i - 1 : i].start;
    do {
      if (++i == lines.size() || lines[i].words.starts_with(begin_mark)) refuse_broken(host);
    } while (lines[i].words != fmt::format("{}{}", end_mark, host));
    sections.push_back({host, start, lines[i].end});
  }
  return sections;
}

// Returns the host in lower case and the path as it is, since only host names ignore case.
std::string key_of(std::string_view host) {
  const auto slash = std::min(host.find('/'), host.size());
  return to_lower(host.substr(0, slash)) + std::string(host.substr(slash));
}

std::optional<Section> section_for(const std::vector<Section>& sections, std::string_view host) {
  const auto found = std::find_if(sections.begin(), sections.end(),
                                  [&](const Section& s) { return s.host == key_of(host); });
  if (found == sections.end()) return std::nullopt;
  return *found;
}

bool is_wildcard(std::string_view host) {
  return host.find('*') != std::string_view::npos;
}

// Returns whether Include would expand a path: it knows patterns, and "%" and "$" as well since
// OpenSSH 9.9. No quoting works for every version.
bool is_pattern(std::string_view path) {
  return path.find_first_of("*?[]{}\\\"'%$~") != std::string_view::npos;
}

std::string spliced(std::string_view text, const Section& place, std::string_view replacement) {
  return std::string(text.substr(0, place.start))
      .append(replacement)
      .append(text.substr(place.end));
}

}  // namespace

std::string with_block(std::string_view own_file, std::string_view host, std::string_view block) {
  const std::string key = key_of(host);
  const std::string section =
      fmt::format("\n{}{}\n{}{}{}\n", begin_mark, key, block, end_mark, key);
  std::string text(own_file.empty() ? head : own_file);
  if (text.back() != '\n') text += '\n';

  const std::vector<Section> sections = sections_of(text);
  if (const auto old = section_for(sections, host)) return spliced(text, *old, section);
  const auto wildcard = std::find_if(sections.begin(), sections.end(),
                                     [](const Section& s) { return is_wildcard(s.host); });
  if (is_wildcard(key) || wildcard == sections.end()) return text + section;
  return spliced(text, {"", wildcard->start, wildcard->start}, section);
}

std::string without_block(std::string_view own_file, std::string_view host) {
  const auto section = section_for(sections_of(own_file), host);
  return section ? spliced(own_file, *section, "") : std::string(own_file);
}

std::vector<std::string> hosts_with_blocks(std::string_view own_file) {
  std::vector<std::string> hosts;
  for (const Section& section : sections_of(own_file)) hosts.push_back(section.host);
  return hosts;
}

std::string with_made_note(std::string_view own_file) {
  if (has_made_note(own_file)) return std::string(own_file);
  const std::size_t place = own_file.starts_with(head) ? head.size() : 0;
  return spliced(own_file, {"", place, place}, made_note);
}

bool has_made_note(std::string_view own_file) {
  return own_file.find(made_note) != std::string_view::npos;
}

bool is_bare(std::string_view own_file) {
  return own_file.empty() || own_file == head || own_file == with_made_note(head);
}

std::string include_line(std::string_view own_file_path) {
  const auto name = own_file_path.substr(own_file_path.rfind('/') + 1);
  return "Include " + config_word(is_pattern(own_file_path) ? name : own_file_path);
}

std::string with_include(std::string_view config, std::string_view own_file_path) {
  const std::string include = include_line(own_file_path);
  for (const Line& line : lines_of(config)) {
    const std::string keyword = to_lower(line.words.substr(0, line.words.find_first_of(" \t=\"")));
    if (keyword == "host" || keyword == "match") break;
    if (line.words == include) return std::string(config);
  }
  const auto newline = config.find('\n');
  const bool crlf = newline != std::string_view::npos && newline > 0 && config[newline - 1] == '\r';
  return include + (crlf ? "\r\n" : "\n") + std::string(config);
}

std::string without_include(std::string_view config, std::string_view own_file_path) {
  const std::string include = include_line(own_file_path);
  std::string result;
  for (const Line& line : lines_of(config)) {
    if (line.words != include) result += config.substr(line.start, line.end - line.start);
  }
  return result;
}

}  // namespace mayfly::sshconfig
