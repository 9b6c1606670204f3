#include "mutate.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace mayfly::fuzz {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t longest_input = 16 << 10;
constexpr int most_changes = 4;

// Ends of ranges and delimiters of the formats that are read here.
constexpr std::array known{"\0"sv,
                           "\n"sv,
                           "\r\n"sv,
                           "\r\n\r\n"sv,
                           "\xff\xff\xff\xff"sv,
                           "\x7f\xff\xff\xff"sv,
                           "\x80"sv,
                           "\0\0\0\0"sv,
                           "18446744073709551616"sv,
                           "-1"sv,
                           "9223372036854775807"sv,
                           "%00"sv,
                           "../"sv,
                           "//"sv,
                           "@"sv,
                           ":"sv,
                           ";"sv,
                           ","sv,
                           "="sv,
                           "\""sv,
                           "\\"sv,
                           "\\u0000"sv,
                           "{"sv,
                           "["sv,
                           "]"sv,
                           "}"sv,
                           "null"sv,
                           "\xc0\x80"sv,
                           "\xed\xa0\x80"sv,
                           "\xf4\x90\x80\x80"sv,
                           "\x1b[31m"sv,
                           "\n=====\n"sv,
                           "-----BEGIN "sv,
                           "[::1]"sv,
                           "xn--"sv};

}  // namespace

std::string Mutator::next() {
  std::string input = any_seed();
  for (auto changes = 1 + below(most_changes); changes > 0; --changes) change(input);
  input.resize(std::min(input.size(), longest_input));
  return input;
}

std::size_t Mutator::below(std::size_t bound) {
  return bound == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
}

void Mutator::change(std::string& input) {
  switch (below(7)) {
    case 0:  // one bit
      if (!input.empty()) input[below(input.size())] ^= static_cast<char>(1 << below(8));
      return;
    case 1:  // one byte
      return replace(input, 1, std::string(1, static_cast<char>(below(256))));
    case 2:  // less
      return replace(input, input.size(), "");
    case 3:  // some of it twice, or many times
      return replace(input, 0, piece(input));
    case 4: {
      std::string run;
      for (auto times = below(200); times > 0; --times) run += known_to_hurt();
      return replace(input, 0, run);
    }
    case 5:
      return replace(input, 8, known_to_hurt());
    default:
      return replace(input, input.size(), piece(any_seed()));
  }
}

// Up to `longest` bytes from somewhere on.
void Mutator::replace(std::string& input, std::size_t longest, const std::string& with) {
  const std::size_t at = below(input.size() + 1);
  input.replace(at, below(std::min(longest, input.size() - at) + 1), with);
}

std::string Mutator::piece(const std::string& of) {
  const std::size_t at = below(of.size() + 1);
  return of.substr(at, below(of.size() - at + 1));
}

std::string Mutator::known_to_hurt() {
  return std::string(known[below(known.size())]);
}

}  // namespace mayfly::fuzz
