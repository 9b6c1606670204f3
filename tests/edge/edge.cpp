// Everything one running edge knows.
#include "edge.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

namespace edge {
namespace {

using nlohmann::json;

const std::string& prepared(const std::string& directory) {
  std::filesystem::create_directories(directory + "/keys");
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
  return directory;
}

}  // namespace

Edge::Edge(const std::string& where)
    : directory(prepared(where)),
      keys(directory + "/keys"),
      tokens(keys),
      authority(directory),
      ssh(directory) {}

void Edge::configure(const json& given) {
  Config parsed = parse_config(given);
  for (const auto& [name, application] : parsed.applications) {
    if (!application->client_ca.empty()) parse_certificates(application->client_ca);
  }
  config = std::move(parsed);
  given_ = given.dump();
  tokens.set_skew(config.clock_skew);
  faults.clear();
  faults.set("", config.faults);
  for (const auto& [name, application] : config.applications) faults.set(name, application->faults);
}

json Edge::given() const {
  json result = json::parse(given_);
  FaultBoard board = faults;
  if (result.contains("faults")) result["faults"] = describe(board.scope(""));
  if (!result.contains("applications")) return result;
  for (auto& [name, application] : result["applications"].items()) {
    if (application.contains("faults")) application["faults"] = describe(board.scope(name));
  }
  return result;
}

}  // namespace edge
