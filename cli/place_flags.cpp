#include "cli/place_flags.hpp"

namespace mayfly::cli {

void bind_hostname(CLI::App& parser, std::string& hostname, const char* help) {
  parser.add_option("--hostname,--tunnel-host,-T", hostname, help)
      ->envname("TUNNEL_SERVICE_HOSTNAME");
}

void bind_listeners(CLI::App& parser, std::vector<std::string>& places, const char* help) {
  parser.add_option("--url,--listener,-L", places, help)
      ->envname("TUNNEL_SERVICE_URL")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
}

void bind_headers(CLI::App& parser, std::vector<std::string>& headers, const char* help) {
  parser.add_option("--header,-H", headers, help)->type_name("HEADER")->allow_extra_args(false);
}

}  // namespace mayfly::cli
