#include "cli/terminal/json_product.hpp"

#include <nlohmann/json.hpp>

namespace mayfly::cli {

std::string json_product(const nlohmann::ordered_json& value) {
  return value.dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace mayfly::cli
