#include "cli/tunnel/payload_log.hpp"

#include <fmt/core.h>

#include <memory>

#include "access/core/log.hpp"

namespace mayfly::cli {
namespace {

constexpr std::size_t longest = 1024;

std::string escaped(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte > 0x7e ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
}

}  // namespace

std::string quoted(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) text += escaped(c);
  return text + '"';
}

PayloadObserver payload_log(std::string host, std::uint64_t most) {
  const auto left = std::make_shared<std::uint64_t>(most);  // copies count together
  return [host = std::move(host), left](PayloadDirection direction, std::string_view bytes) {
    if (*left == 0) return;
    --*left;
    const std::string count = fmt::format("{}", bytes.size());
    log(LogLevel::debug, quoted(bytes.substr(0, longest)) + (bytes.size() > longest ? "..." : ""),
        {{"kind", "payload"},
         {"host", host},
         {"dir", direction == PayloadDirection::from_local ? "r" : "w"},
         {"count", count}});
  };
}

}  // namespace mayfly::cli
