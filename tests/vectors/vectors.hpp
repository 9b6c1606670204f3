// Vectors of other projects (README.md), and the table of those that mayfly judges differently.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace vectors {

// Returns the content of tests/vectors/data/<name>.json.
nlohmann::json data(const std::string& name);

std::string from_hex(std::string_view hex);

// Counts the vectors of one kind, and compares those that mayfly judges differently with the rows
// of differences.tsv.
class Verdicts {
 public:
  explicit Verdicts(std::string kind);
  // The check that every row is still true, and that there were this many vectors.
  void finish(int vectors);

  // vector: its name in the table. A difference without a row fails the test.
  void judge(const std::string& vector, bool agrees);

 private:
  std::string kind_;
  std::map<std::string, std::string> rows_;  // vector and reason; those that were met are removed
  int count_ = 0;
};

}  // namespace vectors
