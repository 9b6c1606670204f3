#include "cli/curl/curl_configuration.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/descriptor.hpp"
#include "cli/terminal/environment.hpp"

namespace mayfly::cli {
namespace {

constexpr std::size_t most_bytes = std::size_t{1024} * 1024;
constexpr std::string_view blanks = " \t\r\v\f";

// In the order of curl 8 (src/tool_findfile.c). In XDG_CONFIG_HOME curl 7.88 reads ".curlrc", and
// later versions read "curlrc".
std::vector<std::string> candidates() {
  std::vector<std::string> paths;
  const auto add = [&paths](const std::string& directory, const std::string& name) {
    if (!directory.empty()) paths.push_back(directory + name);
  };
  const std::string curl_home = variable("CURL_HOME"), xdg = variable("XDG_CONFIG_HOME"),
                    home = variable("HOME");
  add(curl_home, "/.curlrc");
  add(xdg, "/curlrc");
  add(xdg, "/.curlrc");
  add(home, "/.curlrc");
  add(curl_home, "/.config/curlrc");
  add(home, "/.config/curlrc");
  const passwd* account = ::getpwuid(::geteuid());
  if (account && account->pw_dir) add(account->pw_dir, "/.curlrc");
  return paths;
}

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line.substr(0, line.find('\0'));
}

std::string_view without_leading(std::string_view text, std::string_view characters) {
  text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
  return text;
}

// Reads a text that begins after the opening quote.
std::string unquoted(std::string_view text) {
  std::string value;
  for (std::size_t i = 0; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] != '\\') {
      value += text[i];
      continue;
    }
    if (++i == text.size()) break;
    constexpr std::string_view letters = "tnrv", meanings = "\t\n\r\v";
    const auto at = letters.find(text[i]);
    value += at == std::string_view::npos ? text[i] : meanings[at];
  }
  return value;
}

std::string quoted(std::string_view text) {
  std::string value = "\"";
  for (const char c : text) {
    constexpr std::string_view special = "\"\\\t\n\r\v", letters = "\"\\tnrv";
    const auto at = special.find(c);
    if (at == std::string_view::npos)
      value += c;
    else
      value.append(1, '\\').append(1, letters[at]);
  }
  return value + '"';
}

ConfigurationLine parse_line(std::string_view line) {
  line = without_leading(line, blanks);
  if (line.empty() || line.front() == '#') return {};
  // Without a dash an option also ends at "=" or ":".
  std::string separators(blanks);
  if (line.front() != '-') separators += "=:";
  const auto end = std::min(line.find_first_of(separators), line.size());
  std::string option(line.substr(0, end));
  if (option.front() != '-') option.insert(0, "--");
  const std::string_view rest = without_leading(line.substr(end), separators);
  if (rest.starts_with('"')) return {option, unquoted(rest.substr(1))};
  const std::string_view value = rest.substr(0, rest.find_first_of(blanks));
  if (value.empty()) return {option};
  return {option, std::string(value)};
}

}  // namespace

std::optional<std::string> default_curl_configuration() {
  const std::vector<std::string> paths = candidates();
  const auto found = std::find_if(paths.begin(), paths.end(), [](const std::string& path) {
    return ::access(path.c_str(), R_OK) == 0;
  });
  if (found == paths.end()) return std::nullopt;
  return *found;
}

bool ignores_configuration(const CurlArguments& curl) {
  if (curl.arguments.empty()) return false;
  const std::string& first = curl.arguments.front();
  return first.starts_with("-q") || first == "--disable";
}

std::string read_for_curl(const std::string& path) {
  const Descriptor file(path == "-" ? ::dup(STDIN_FILENO)
                                    : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  std::string text(most_bytes + 1, '\0');
  const std::ptrdiff_t got = file ? read_all(file.get(), text) : -1;
  if (got < 0) {
    throw Error(
        ErrorKind::usage,
        system_error(fmt::format("cannot read {} for curl", printable(path)), errno).message(),
        "check the name of the file, and whether you may read it");
  }
  text.resize(static_cast<std::size_t>(got));
  if (text.size() <= most_bytes) return text;
  throw Error(ErrorKind::usage,
              fmt::format("cannot read {} for curl: it is larger than 1 MiB", printable(path)));
}

std::vector<ConfigurationLine> parse_curl_configuration(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  std::vector<ConfigurationLine> lines;
  while (!text.empty()) {
    ConfigurationLine line = parse_line(take_line(text));
    if (!line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

std::string render_curl_configuration(const std::vector<ConfigurationLine>& lines) {
  std::string text;
  for (const ConfigurationLine& line : lines) {
    text += line.front();
    if (line.size() > 1) text += " " + quoted(line[1]);
    text += "\n";
  }
  return text;
}

}  // namespace mayfly::cli
