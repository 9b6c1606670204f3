#include "cli/flags/user_headers.hpp"

#include <fmt/core.h>

#include "access/core/error.hpp"
#include "access/core/text.hpp"

namespace mayfly::cli {

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
