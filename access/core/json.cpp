#include "access/core/json.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace mayfly {
namespace {

using Json = nlohmann::json;

// Refuses by looking, before the value is built.
class StrictSax : public nlohmann::json_sax<Json> {
 public:
  explicit StrictSax(int max_depth) : max_depth_(max_depth) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return enter(); }
  bool key(string_t& name) override { return keys_.back().insert(name).second; }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;
  }

 private:
  bool enter() {
    keys_.emplace_back();
    return static_cast<int>(keys_.size()) <= max_depth_;
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }

  int max_depth_;
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

std::optional<Json> parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.max_bytes) return std::nullopt;
  // The lexer takes NUL for the end, and would not see what follows.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  StrictSax strict(limits.max_depth);
  if (!Json::sax_parse(text, &strict)) return std::nullopt;
  Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) return std::nullopt;
  return value;
}

std::optional<std::string> string_member(const Json& object, const char* name) {
  if (!object.is_object()) return std::nullopt;
  const auto member = object.find(name);
  if (member == object.end() || !member->is_string()) return std::nullopt;
  return member->get<std::string>();
}

std::optional<std::int64_t> integer_member(const Json& object, const char* name) {
  if (!object.is_object()) return std::nullopt;
  const auto member = object.find(name);
  if (member == object.end() || !member->is_number_integer()) return std::nullopt;
  // An unsigned value above the signed range would wrap.
  if (member->is_number_unsigned() && member->get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  return member->get<std::int64_t>();
}

}  // namespace mayfly
