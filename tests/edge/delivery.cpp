// Hands tokens to clients: the transfer service's polls, and what a finished login delivers.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto.hpp"
#include "visit.hpp"

namespace edge {
namespace {

using nlohmann::json;

// The first of the transfer.* faults that concern what is delivered, rather than polling.
std::optional<Fault> delivery_fault(Edge& edge, const std::string& application) {
  for (const char* name :
       {"garbage", "garbage_json", "tampered", "short_key", "long_key", "missing_key",
        "wrong_audience", "foreign_issuer", "expired_token", "no_org_token", "empty", "huge"}) {
    auto fault = edge.faults.take(application, std::string("transfer.") + name);
    if (fault) return fault;
  }
  return std::nullopt;
}

}  // namespace

bool may_sign_in(const Application& application, const std::string& email) {
  const auto& allow = application.allow;
  return allow.empty() || std::find(allow.begin(), allow.end(), email) != allow.end();
}

bool deliver(Edge& edge, const Application& application, Delivery& delivery) {
  const auto flaw = delivery_fault(edge, application.name);
  const std::string fault = flaw ? flaw->name : std::string();
  json claims =
      edge.tokens.app_claims(application, {delivery.email, "", ""}, application.token_lifetime);
  if (fault == "transfer.wrong_audience") claims["aud"] = {hex(sha256("some other application"))};
  if (fault == "transfer.foreign_issuer") claims["iss"] = "https://other.cloudflareaccess.com";
  if (fault == "transfer.expired_token") claims["exp"] = edge.tokens.now() - 60;
  delivery.app_token = edge.tokens.mint({application.team, claims.dump(), "", "", false});
  json body = {{"app_token", delivery.app_token}};
  if (delivery.with_org && fault != "transfer.no_org_token") {
    delivery.org_token =
        edge.tokens.mint_org(application.team, delivery.email, edge.config.org_token_lifetime);
    body["org_token"] = delivery.org_token;
  }
  return edge.transfer.deliver(delivery.public_key, body.dump(), flaw);
}

Answer route_transfer(Visit& visit) {
  const std::string prefix = "/transfer/";
  const Response nothing = respond(404, "text/plain", "not found\n");
  if (visit.request.method != "GET" || !visit.request.path.starts_with(prefix)) {
    return answer(nothing);
  }
  ++visit.edge.stats.polls;
  Answer reply;
  reply.poll_key = visit.request.path.substr(prefix.size());
  if (unbase64(reply.poll_key).size() != 32) return answer(respond(400, "text/plain", "no key\n"));
  if (visit.fault("transfer.500")) return answer(respond(500, "text/plain", "oops\n"));
  if (visit.fault("transfer.short_polls")) return answer(nothing);
  const bool dropped = visit.fault("transfer.drop_polls").has_value();
  reply.action = dropped ? Action::drop : Action::poll;
  reply.response = nothing;
  return reply;
}

}  // namespace edge
