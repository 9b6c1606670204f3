// A string that wipes itself and cannot be printed by accident.
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
  // The only way out; valid while this object lives.
  std::string_view reveal() const noexcept { return value_; }
  const char* c_str() const noexcept { return value_.c_str(); }

  friend bool operator==(const Secret& a, const Secret& b) noexcept;

 private:
  std::string value_;
};

// Overwrites the bytes in a way the compiler keeps.
void wipe(std::string& text) noexcept;

}  // namespace mayfly
