// A block of ssh_config for a host, user, alias and flag that somebody else may have chosen.
#include <algorithm>

#include "access/core/text.hpp"
#include "block_request.hpp"
#include "property.hpp"
#include "shell_reading.hpp"

namespace mayfly::fuzz {
namespace {

using namespace sshconfig;

constexpr std::string_view keywords[] = {"Match ",
                                         "Host ",
                                         "  HostName ",
                                         "  ProxyCommand ",
                                         "  IdentityFile ",
                                         "  CertificateFile ",
                                         "  IdentityAgent SSH_AUTH_SOCK",
                                         "  AddKeysToAgent no",
                                         "  User "};
// Between a block and its fallback.
constexpr std::string_view between[] = {"", "# Without a certificate ssh stays in the tunnel."};

std::string after(const std::string& line, std::string_view keyword) {
  return line.substr(keyword.size());
}

// program, "access", command, "--hostname" among the rest.
void check_command(const std::string& command) {
  const auto words = shell_words(command);
  require(words && words->size() >= 5 && (*words)[0] == "/usr/bin/mayfly" &&
              (*words)[1] == "access" &&
              std::find(words->begin(), words->end(), "--hostname") != words->end(),
          "the shell runs mayfly and nothing else");
}

void check_line(const std::string& line) {
  const bool known =
      std::any_of(std::begin(keywords), std::end(keywords),
                  [&](std::string_view keyword) { return line.starts_with(keyword); });
  const bool separates =
      std::find(std::begin(between), std::end(between), line) != std::end(between);
  require(known || separates, "each line has a keyword of ours");
  require(std::none_of(line.begin(), line.end(),
                       [](char c) { return c == 0x7f || static_cast<unsigned char>(c) < 0x20; }),
          "no line holds a control character");
  if (line.starts_with("  ProxyCommand ")) check_command(after(line, "  ProxyCommand "));
  if (!line.starts_with("Match ")) return;
  const auto exec = line.find(" exec \"");
  require(exec != std::string::npos && line.ends_with('"'), "a Match runs a command");
  const auto start = exec + std::string_view(" exec \"").size();
  const std::string command = line.substr(start, line.size() - 1 - start);
  require(command.find('"') == std::string::npos, "the command is one argument");
  check_command(command);
}

const Harness harness("block", [](std::string_view input) {
  Input lines(input);
  const BlockOptions options = block_request(lines);
  const auto block = result_of({ErrorKind::usage}, [&] { return render_block(options); });
  if (!block) return;
  require(block->ends_with('\n'), "a block ends with its last line");
  const auto all = split(std::string_view(*block).substr(0, block->size() - 1), '\n');
  require(all.size() <= 13, "a block has few lines");
  for (const auto line : all) check_line(std::string(line));
  require(!options.alias || is_host_name(*options.alias), "an alias is a name");
});

}  // namespace
}  // namespace mayfly::fuzz
