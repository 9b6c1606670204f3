// Reads JSON objects strictly: an unknown key or a wrong type is an error that names the key.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

namespace edge {

// Reads the members of one object and refuses those that nobody asked for.
class Members {
 public:
  Members(const nlohmann::json& object, std::string where);

  // Reads a member if it is there; for the types that members.cpp lists.
  template <typename T>
  void read(const char* key, T& value);
  // Returns the member, or null if it is absent.
  const nlohmann::json* find(const char* key);
  // Throws if the object has a member that was not read.
  void end() const;
  [[noreturn]] void fail(const std::string& key, const std::string& why) const;

 private:
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
