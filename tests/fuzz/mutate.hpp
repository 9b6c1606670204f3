// Inputs a little different from given ones, without looking at what the code does with them.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace mayfly::fuzz {

class Mutator {
 public:
  // The same seed makes the same inputs. At least one of `seeds`; they outlive the mutator.
  Mutator(const std::vector<std::string>& seeds, std::uint64_t seed)
      : seeds_(seeds), random_(seed) {}

  std::string next();

 private:
  // 0 ... bound - 1; 0 when there is none.
  std::size_t below(std::size_t bound);
  const std::string& any_seed() { return seeds_[below(seeds_.size())]; }
  void change(std::string& input);
  void replace(std::string& input, std::size_t longest, const std::string& with);
  std::string piece(const std::string& of);
  std::string known_to_hurt();

  const std::vector<std::string>& seeds_;
  std::mt19937_64 random_;
};

}  // namespace mayfly::fuzz
