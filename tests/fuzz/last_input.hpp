// The input that a program died of, saved by its signal handler.
#pragma once

#include <string>
#include <string_view>

namespace mayfly::fuzz {

// From now on an abnormal end writes the input being tried to `path`, and says so.
void save_last_input_to(std::string path);
// To be told before each; the bytes stay where they are until the next.
void trying(std::string_view input);

}  // namespace mayfly::fuzz
