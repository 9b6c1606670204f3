#include "tests/vectors/vectors.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

namespace vectors {
namespace {

std::string folder() {
  const char* source = std::getenv("MAYFLY_SOURCE");
  return std::string(source != nullptr ? source : ".") + "/tests/vectors/";
}

}  // namespace

nlohmann::json data(const std::string& name) {
  std::ifstream file(folder() + "data/" + name + ".json");
  REQUIRE_MESSAGE(file, "MAYFLY_SOURCE has to name the source tree");
  return nlohmann::json::parse(file);
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

Verdicts::Verdicts(std::string kind) : kind_(std::move(kind)) {
  std::ifstream table(folder() + "differences.tsv");
  REQUIRE(table);
  for (std::string line; std::getline(table, line);) {
    const auto first = line.find('\t'), second = line.find('\t', first + 1);
    if (line.starts_with('#') || second == std::string::npos || line.substr(0, first) != kind_)
      continue;
    rows_[line.substr(first + 1, second - first - 1)] = line.substr(second + 1);
  }
}

void Verdicts::judge(const std::string& vector, bool agrees) {
  ++count_;
  if (agrees) return;
  const bool has_row = rows_.erase(vector) > 0;
  if (!has_row && std::getenv("MAYFLY_NEW_DIFFERENCES") != nullptr)
    std::ofstream(std::getenv("MAYFLY_NEW_DIFFERENCES"), std::ios::app)
        << kind_ << '\t' << vector << '\t' << '\n';
  CHECK_MESSAGE(has_row, kind_, ": mayfly judges this vector differently: ", vector);
}

void Verdicts::finish(int vectors) {
  CHECK(count_ == vectors);
  for (const auto& [vector, reason] : rows_)
    if (!reason.starts_with("[libidn2]"))
      FAIL_CHECK(kind_ << ": this row of differences.tsv is not true any more: " << vector);
}

}  // namespace vectors
