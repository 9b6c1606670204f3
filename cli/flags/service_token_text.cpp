#include "cli/flags/service_token_text.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "access/core/error.hpp"
#include "access/core/text.hpp"

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

}  // namespace

std::string_view service_token_text(std::string_view text, const ServiceTokenField& field) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  const auto value = without_header(trim(text, blanks), field.header);
  const bool is_broken = std::any_of(value.begin(), value.end(), is_unfit);
  if (!value.empty() && !is_broken) return value;
  throw Error(
      ErrorKind::usage,
      fmt::format(
          "cannot use the service token's {} ({}): it {}", field.name, field.source,
          is_broken ? "holds something other than letters, digits and signs of ASCII" : "is empty"),
      "copy it again, without what stands around it");
}

}  // namespace mayfly::cli
