// A harness: a name, and a function that is given hostile bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace mayfly::fuzz {

// 2030-01-01, the time at which everything is judged; the seeds are made for it.
inline constexpr std::chrono::sys_seconds now(std::chrono::seconds(1893456000));

using Run = void (*)(std::string_view input);

// One a file, at namespace scope: being made is being registered.
class Harness {
 public:
  Harness(const char* name, Run run);
};

const std::map<std::string, Run, std::less<>>& harnesses();

// An input taken apart from its front; what is missing reads as empty.
class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t byte();
  std::string_view take(std::size_t count);
  // Up to the next line feed, which is dropped, or to the end.
  std::string_view line();
  // Up to the next line "=====", which is dropped, or to the end.
  std::string_view section();
  std::string_view rest() const { return rest_; }

 private:
  std::string_view until(std::string_view mark);

  std::string_view rest_;
};

}  // namespace mayfly::fuzz
