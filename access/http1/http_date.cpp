#include "access/http1/http_date.hpp"

#include <algorithm>
#include <array>

namespace mayfly {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Parts {
  std::string_view day, month, year, clock;  // "06", "Nov", "1994", "08:49:37"
};

// Any characters where the form has an "x".
bool has_form(std::string_view text, std::string_view form) {
  return std::equal(text.begin(), text.end(), form.begin(), form.end(),
                    [](char is, char wanted) { return wanted == 'x' || is == wanted; });
}

std::optional<Parts> take_apart(std::string_view text) {
  if (has_form(text, "xxx, xx xxx xxxx xx:xx:xx GMT"))
    return Parts{text.substr(5, 2), text.substr(8, 3), text.substr(12, 4), text.substr(17, 8)};
  if (has_form(text, "xxx xxx xx xx:xx:xx xxxx"))
    return Parts{text.substr(8, 2), text.substr(4, 3), text.substr(20, 4), text.substr(11, 8)};
  const auto comma = text.find(',');  // the whole name of the day
  if (comma == std::string_view::npos || !has_form(text.substr(comma), ", xx-xxx-xx xx:xx:xx GMT"))
    return std::nullopt;
  text.remove_prefix(comma);
  return Parts{text.substr(2, 2), text.substr(5, 3), text.substr(9, 2), text.substr(12, 8)};
}

// Digits only, but for a blank before the one digit of an old form's day.
std::optional<int> number(std::string_view text) {
  if (text.size() == 2 && text[0] == ' ') text.remove_prefix(1);
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + (c - '0');
  }
  return value;
}

std::optional<unsigned> month_number(std::string_view name) {
  const auto found = std::find(months.begin(), months.end(), name);
  if (found == months.end()) return std::nullopt;
  return static_cast<unsigned>(found - months.begin()) + 1;
}

// Two digits are of the last century where they would be more than 50 years ahead.
int full_year(int value, std::size_t digits) {
  if (digits > 2) return value;
  const year_month_day today(floor<days>(system_clock::now()));
  const int century = static_cast<int>(today.year()) / 100 * 100;
  return value + century > static_cast<int>(today.year()) + 50 ? value + century - 100
                                                               : value + century;
}

std::optional<seconds> time_of_day(std::string_view clock) {
  const auto h = number(clock.substr(0, 2)), m = number(clock.substr(3, 2)),
             s = number(clock.substr(6, 2));
  // 60 is a leap second.
  if (!h || !m || !s || *h > 23 || *m > 59 || *s > 60) return std::nullopt;
  return hours(*h) + minutes(*m) + seconds(*s);
}

}  // namespace

std::optional<sys_seconds> parse_http_date(std::string_view text) {
  const auto parts = take_apart(text);
  if (!parts) return std::nullopt;
  const auto month_of_year = month_number(parts->month);
  const auto day_of_month = number(parts->day), year_number = number(parts->year);
  const auto clock = time_of_day(parts->clock);
  if (!month_of_year || !day_of_month || !year_number || !clock) return std::nullopt;
  const year_month_day date(year(full_year(*year_number, parts->year.size())),
                            month(*month_of_year), day(static_cast<unsigned>(*day_of_month)));
  if (!date.ok()) return std::nullopt;
  return sys_days(date) + *clock;
}

}  // namespace mayfly
