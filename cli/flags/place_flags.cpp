#include "cli/flags/place_flags.hpp"

#include "cli/flags/arguments.hpp"

namespace mayfly::cli {

void bind_hostname(Parser& parser, std::string& hostname, const char* help) {
  parser.add_option("--hostname,--tunnel-host,-T", hostname, help)
      .envname("TUNNEL_SERVICE_HOSTNAME");
}

void bind_listeners(Parser& parser, std::vector<std::string>& places, const char* help) {
  parser.add_option("--url,--listener,-L", places, help)
      .envname("TUNNEL_SERVICE_URL")
      .type_name("ADDRESS");
}

void bind_headers(Parser& parser, std::vector<std::string>& headers, const char* help) {
  parser.add_option("--header,-H", headers, help).type_name("HEADER");
}

}  // namespace mayfly::cli
