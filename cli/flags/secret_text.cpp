#include "cli/flags/secret_text.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/descriptor.hpp"

namespace mayfly::cli {
namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view without_header(std::string_view text, std::string_view name) {
  const bool is_header = text.size() > name.size() && text[name.size()] == ':' &&
                         equals_ignoring_case(text.substr(0, name.size()), name);
  return is_header ? trim(text.substr(name.size() + 1), blanks) : text;
}

bool is_unfit(char c) {
  return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F;
}

constexpr std::size_t longest = 4096;

// docs/protocol.md section 2: older secrets are 64 hexadecimal digits. Both forms are no id, which
// has 32 digits.
bool is_secret(std::string_view value) {
  constexpr std::size_t digits = 64;
  return value.starts_with("cfast_") ||
         (value.size() == digits &&
          value.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos);
}

// Does not show the value, which may be the secret.
void refuse_swapped(std::string_view value, const ServiceTokenField& field) {
  const bool is_id_wanted = field.name == service_token_id_field.name;
  if (is_id_wanted ? !is_secret(value) : !value.ends_with(".access")) return;
  throw Error(ErrorKind::usage,
              fmt::format("the service token's {} ({}) is {}: they may be swapped", field.name,
                          field.source, is_id_wanted ? "a secret" : "an id"),
              "the id ends in .access; the secret begins with cfast_ or is 64 digits and letters");
}

}  // namespace

std::string_view service_token_text(std::string_view text, const ServiceTokenField& field) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  const auto value = without_header(trim(text, blanks), field.header);
  const bool is_broken = std::any_of(value.begin(), value.end(), is_unfit);
  if (!value.empty() && !is_broken) {
    refuse_swapped(value, field);
    return value;
  }
  throw Error(
      ErrorKind::usage,
      fmt::format(
          "cannot use the service token's {} ({}): it {}", field.name, field.source,
          is_broken ? "holds something other than letters, digits and signs of ASCII" : "is empty"),
      "copy it again, without what stands around it");
}

Secret read_secret_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    throw Error(ErrorKind::usage,
                system_error("cannot read the secret in " + path, errno).message(),
                "check the name of the file, which a flag or a variable gives");
  }
  // Pipes and /dev/fd are fine; a file must not be readable by other users.
  if (S_ISREG(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw Error(ErrorKind::usage,
                fmt::format("cannot use the secret in {}: others can read it", path),
                fmt::format("run: chmod 600 {}", pasted_word(path)));
  }
  std::string text(longest + 1, '\0');
  const auto size =
      static_cast<std::size_t>(std::max<std::ptrdiff_t>(read_all(file.get(), text), 0));
  const Secret whole(std::string_view(text).substr(0, size));
  wipe(text);
  const auto line = whole.reveal().substr(0, whole.reveal().find_first_of("\r\n"));
  if (line.empty() || size > longest) {
    throw Error(ErrorKind::usage,
                fmt::format("cannot use the secret in {}: it is {}", path,
                            line.empty() ? "empty" : "too long"),
                "write the secret alone into the first line of the file");
  }
  return Secret(line);
}

Headers user_headers(const std::vector<std::string>& lines) {
  Headers headers;
  for (const std::string& line : lines) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || trim(std::string_view(line).substr(0, colon)).empty()) {
      throw Error(ErrorKind::usage, fmt::format("{} is no header", printable(line)),
                  "write it as \"Name: value\"");
    }
    headers.add(std::string(trim(std::string_view(line).substr(0, colon))),
                std::string(trim(std::string_view(line).substr(colon + 1))));
  }
  return headers;
}

}  // namespace mayfly::cli
