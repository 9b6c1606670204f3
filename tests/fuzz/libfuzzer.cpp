// libFuzzer's entry to the one harness that was linked.
#include <cstddef>
#include <cstdint>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const mayfly::fuzz::Run run = mayfly::fuzz::harnesses().begin()->second;
  run({reinterpret_cast<const char*>(data), size});
  return 0;
}
