// Reads JSON objects strictly: an unknown key or a wrong type is an error that names the key.
#include "members.hpp"

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

namespace edge {

Members::Members(const nlohmann::json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object.is_object()) fail("", "not an object");
}

template <typename T>
void Members::read(const char* key, T& value) {
  const nlohmann::json* found = find(key);
  if (found == nullptr) return;
  try {
    value = found->get<T>();
  } catch (const nlohmann::json::exception& error) {
    fail(key, error.what());
  }
}

const nlohmann::json* Members::find(const char* key) {
  seen_.insert(key);
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

void Members::end() const {
  for (const auto& [key, value] : object_.items()) {
    if (!seen_.contains(key)) fail(key, "unknown key");
  }
}

void Members::fail(const std::string& key, const std::string& why) const {
  throw std::runtime_error(where_ + (where_.empty() || key.empty() ? "" : ".") + key + ": " + why);
}

template void Members::read(const char* key, bool& value);
template void Members::read(const char* key, int& value);
template void Members::read(const char* key, long& value);
template void Members::read(const char* key, double& value);
template void Members::read(const char* key, std::uint16_t& value);
template void Members::read(const char* key, std::size_t& value);
template void Members::read(const char* key, std::string& value);
template void Members::read(const char* key, std::vector<std::string>& value);
template void Members::read(const char* key, std::map<std::string, std::string>& value);
template void Members::read(const char* key,
                            std::vector<std::pair<std::string, std::string>>& value);

}  // namespace edge
