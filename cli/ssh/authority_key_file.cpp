#include "cli/ssh/authority_key_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/descriptor.hpp"
#include "sshgen/authority_keys.hpp"

namespace mayfly::cli {
namespace {

constexpr std::size_t most_key_bytes = 64 << 10;

std::string read_text(const std::string& name) {
  const Descriptor file(name == "-" ? ::dup(STDIN_FILENO)
                                    : ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  const std::string shown = name == "-" ? "standard input" : printable(name, 4096);
  if (!file) throw system_error("cannot read " + shown, errno);
  std::string text(most_key_bytes + 1, '\0');
  const std::ptrdiff_t got = read_all(file.get(), text);
  if (got < 0) throw system_error("cannot read " + shown, errno);
  text.resize(static_cast<std::size_t>(got));
  if (text.size() > most_key_bytes)
    throw Error(ErrorKind::usage, shown + " holds no key of a CA: it is too large");
  return text;
}

}  // namespace

std::vector<std::string> read_authority_keys(const std::string& file) {
  const std::string source = file == "-" ? "standard input" : printable(file, 4096);
  std::vector<std::string> lines;
  for (auto& key : sshgen::parse_authority_keys(read_text(file), source))
    lines.push_back(std::move(key.line));
  return lines;
}

}  // namespace mayfly::cli
