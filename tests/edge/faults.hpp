// Faults that can be switched on: their names, and what is left of them.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace edge {

struct Fault {
  std::string name;  // "area.fault"
  long times = -1;   // how often it still happens; negative: always
  double seconds = 0;
  int code = 0;
  unsigned long long bytes = 0;
  std::string value;
};

using FaultSet = std::map<std::string, Fault, std::less<>>;

// Strict: throws std::runtime_error on a fault nobody knows or a parameter of the wrong type.
FaultSet parse_faults(const nlohmann::json& given);
nlohmann::json describe(const FaultSet& faults);

// Who suffers what: a set for everybody (scope "") and one for each application.
class FaultBoard {
 public:
  void set(const std::string& scope, FaultSet faults) { scopes_[scope] = std::move(faults); }
  void clear() { scopes_.clear(); }
  const FaultSet& scope(const std::string& name) { return scopes_[name]; }

  // The fault of that name, the application's own first; uses up one of its times.
  std::optional<Fault> take(const std::string& application, std::string_view name);
  // The first active fault of an area ("upgrade"), likewise.
  std::optional<Fault> take_area(const std::string& application, std::string_view area);

 private:
  std::map<std::string, FaultSet> scopes_;
};

}  // namespace edge
