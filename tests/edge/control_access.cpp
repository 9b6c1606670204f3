// The control requests that change service tokens and grants while the edge runs.
#include "control_access.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "crypto.hpp"
#include "service_token.hpp"

namespace edge {
namespace {

using nlohmann::json;

struct TokenChange {
  std::string id;
  std::string action;
  std::string secret;  // the new one
  long grace = 0;      // seconds
  long now = 0;
};

void change_entry(json& token, const TokenChange& change) {
  if (change.action == "rotate") {
    if (token.contains("secret")) {
      token["previous_secret"] = token["secret"];
      token["previous_secret_expires_at"] = change.now + change.grace;
      token["secret"] = change.secret;
    }
  } else if (change.action == "disable" || change.action == "enable") {
    token["enabled"] = change.action == "enable";
  } else if (change.action == "expire") {
    token["expires_at"] = change.now;
  } else if (change.action != "delete") {
    throw std::runtime_error("no such action: " + change.action);
  }
}

// Changes the entries of that id in the list of one owner (a team or an application).
std::size_t change_list(json& owner, const TokenChange& change) {
  if (!owner.contains("service_tokens")) return 0;
  std::size_t count = 0;
  json kept = json::array();
  for (json& token : owner["service_tokens"]) {
    const bool meant = token.value("id", "") == change.id;
    if (meant) change_entry(token, change);
    count += meant ? 1 : 0;
    if (!meant || change.action != "delete") kept.push_back(token);
  }
  owner["service_tokens"] = std::move(kept);
  return count;
}

}  // namespace

json change_service_token(Edge& edge, const json& wanted) {
  TokenChange change;
  change.id = wanted.at("id");
  change.action = wanted.at("action");
  change.secret = wanted.value("secret", make_service_secret());
  change.grace = wanted.value("grace", 0L);
  change.now = edge.tokens.now();
  json given = edge.given();
  std::size_t count = 0;
  for (const char* owners : {"teams", "applications"}) {
    if (!given.contains(owners)) continue;
    for (auto& [name, owner] : given[owners].items()) count += change_list(owner, change);
  }
  if (count == 0) throw std::runtime_error("no such service token: " + change.id);
  edge.configure(given);
  json result = {{"id", change.id}, {"changed", count}};
  if (change.action == "rotate") result["secret"] = change.secret;
  return result;
}

json change_grants(Edge& edge, const json& wanted) {
  const Grants::Filter filter{wanted.value("application", ""), wanted.value("email", "")};
  json result = json::object();
  if (wanted.value("end", false)) result["ended"] = edge.grants.end(filter, "by the administrator");
  if (wanted.value("expire_access_tokens", false)) {
    result["expired"] = edge.grants.expire_access_tokens(filter);
  }
  if (wanted.value("forget_clients", false)) edge.grants.forget_clients();
  return result;
}

json origin_requests(const Edge& edge, const Request& request) {
  const std::string application = request.parameter("application");
  json result = json::array();
  for (const json& entry : edge.log.select({request.parameter("host"), "", 0})) {
    if (entry["origin"].is_null()) continue;
    if (!application.empty() && entry["application"] != application) continue;
    result.push_back({{"seq", entry["seq"]},
                      {"application", entry["application"]},
                      {"host", entry["host"]},
                      {"method", entry["method"]},
                      {"target", entry["target"]},
                      {"path", entry["path"]},
                      {"status", entry["status"]},
                      {"headers", entry["origin"]["headers"]}});
  }
  return result;
}

json describe_traffic(const Stats& stats) {
  json applications = json::object();
  for (const auto& [name, traffic] : stats.applications) {
    applications[name] = {{"connections", traffic.connections.size()},
                          {"requests", traffic.requests},
                          {"origin_requests", traffic.origin_requests}};
  }
  json hosts = json::object();
  for (const auto& [name, traffic] : stats.hosts) {
    hosts[name] = {{"connections", traffic.connections}, {"requests", traffic.requests}};
  }
  return {{"applications", std::move(applications)}, {"hosts", std::move(hosts)}};
}

}  // namespace edge
