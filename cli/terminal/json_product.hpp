// How JSON looks on stdout: indented, in ASCII, with a newline at its end.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace mayfly::cli {

// ASCII, so that no character of a server's does anything to a terminal; bytes that are no UTF-8
// become U+FFFD. Members keep their order.
std::string json_product(const nlohmann::ordered_json& value);

}  // namespace mayfly::cli
