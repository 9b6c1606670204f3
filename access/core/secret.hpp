// A string that wipes its memory and cannot be printed by accident.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace mayfly {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value);
  explicit Secret(std::string_view value);
  Secret(const Secret& other);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret other) noexcept;
  ~Secret();

  bool empty() const noexcept { return value_.empty(); }
  std::size_t size() const noexcept { return value_.size(); }
  // Returns the text; valid while this object lives.
  std::string_view reveal() const noexcept { return value_; }
  const char* c_str() const noexcept { return value_.c_str(); }

  friend bool operator==(const Secret& a, const Secret& b) noexcept;

 private:
  std::string value_;
};

// Overwrites the bytes in a way that the compiler does not remove.
void wipe(std::string& text) noexcept;
void wipe(void* bytes, std::size_t size) noexcept;

}  // namespace mayfly
