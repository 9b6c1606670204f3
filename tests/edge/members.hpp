// Reads JSON objects strictly: an unknown key or a wrong type is an error that names the key.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>

namespace edge {

// Reads the members of one object and refuses those that nobody asked for.
class Members {
 public:
  Members(const nlohmann::json& object, std::string where)
      : object_(object), where_(std::move(where)) {
    if (!object.is_object()) fail("", "not an object");
  }

  template <typename T>
  void read(const char* key, T& value) {
    if (const nlohmann::json* found = find(key)) convert(key, *found, value);
  }

  const nlohmann::json* find(const char* key) {
    seen_.insert(key);
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  void end() const {
    for (const auto& [key, value] : object_.items()) {
      if (!seen_.contains(key)) fail(key, "unknown key");
    }
  }

  [[noreturn]] void fail(const std::string& key, const std::string& why) const {
    throw std::runtime_error(where_ + (where_.empty() || key.empty() ? "" : ".") + key + ": " +
                             why);
  }

 private:
  template <typename T>
  void convert(const char* key, const nlohmann::json& found, T& value) {
    try {
      value = found.get<T>();
    } catch (const nlohmann::json::exception& error) {
      fail(key, error.what());
    }
  }

  const nlohmann::json& object_;
  std::string where_;
  std::set<std::string, std::less<>> seen_;
};

template <typename Enum>
struct Word {
  const char* text;
  Enum value;
};

template <typename Enum, std::size_t N>
void read_word(Members& members, const char* key, const Word<Enum> (&words)[N], Enum& value) {
  std::string text;
  members.read(key, text);
  if (text.empty()) return;
  for (const auto& word : words) {
    if (text == word.text) {
      value = word.value;
      return;
    }
  }
  members.fail(key, "not known: " + text);
}

template <typename Enum, std::size_t N>
const char* word_for(const Word<Enum> (&words)[N], Enum value) {
  for (const auto& word : words) {
    if (value == word.value) return word.text;
  }
  return "";
}

}  // namespace edge
