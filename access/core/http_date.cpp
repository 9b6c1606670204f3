#include "access/core/http_date.hpp"

#include <array>

namespace mayfly {
namespace {

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// All of these characters are digits.
std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + static_cast<unsigned>(c - '0');
  }
  return value;
}

std::optional<unsigned> month_number(std::string_view name) {
  for (unsigned i = 0; i < months.size(); ++i)
    if (months[i] == name) return i + 1;
  return std::nullopt;
}

bool has_the_form(std::string_view text) {
  constexpr std::string_view form = "ddd, dd ddd dddd dd:dd:dd GMT";
  if (text.size() != form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i)
    if (form[i] != 'd' && form[i] != text[i]) return false;
  return true;
}

}  // namespace

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
  using namespace std::chrono;
  if (!has_the_form(text)) return std::nullopt;
  const auto month_of_year = month_number(text.substr(8, 3));
  const auto day_of_month = number(text.substr(5, 2)), year_number = number(text.substr(12, 4));
  const auto hour = number(text.substr(17, 2)), minute = number(text.substr(20, 2)),
             second = number(text.substr(23, 2));
  if (!month_of_year || !day_of_month || !year_number || !hour || !minute || !second)
    return std::nullopt;
  const year_month_day date(year(static_cast<int>(*year_number)), month(*month_of_year),
                            day(*day_of_month));
  // 60 is a leap second.
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second);
}

}  // namespace mayfly
