// JSONTestSuite: texts that a reader has to take (y_), to refuse (n_), or may treat as it likes
// (i_). mayfly is to refuse the last kind, too.
#include "access/core/json.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "access/core/encoding.hpp"
#include "tests/vectors/vectors.hpp"

TEST_CASE("vectors: JSONTestSuite") {
  vectors::Verdicts verdicts("json");
  const nlohmann::json texts = vectors::data("json_texts");
  for (const auto& [name, encoded] : texts.items()) {
    const auto text = mayfly::base64_decode(encoded.get<std::string>(), mayfly::Base64::standard);
    REQUIRE(text);
    verdicts.judge(name, mayfly::parse_json(*text).has_value() == name.starts_with("y_"));
  }
  std::string arrays(100000, '['), both;
  for (int i = 0; i < 50000; ++i) both += "[{\"\":";
  verdicts.judge("n_structure_100000_opening_arrays.json", !mayfly::parse_json(arrays));
  verdicts.judge("n_structure_open_array_object.json", !mayfly::parse_json(both));
  verdicts.finish(318);
}
