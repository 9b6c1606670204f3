// What each request to the control port does.
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "control.hpp"
#include "control_access.hpp"
#include "visit.hpp"

namespace edge {
namespace {

using nlohmann::json;

Response ok(const json& body) {
  return respond_json(200, body.dump(2) + "\n");
}

json parse_body(const Request& request) {
  return request.body.empty() ? json::object() : json::parse(request.body);
}

const Application& application_named(const Edge& edge, const std::string& name) {
  const auto found = edge.config.applications.find(name);
  if (found == edge.config.applications.end()) {
    throw std::runtime_error("no such application: " + name);
  }
  return *found->second;
}

// The configuration with what is left of its faults.
json current_config(Edge& edge) {
  json result = describe(edge.config);
  result["faults"] = describe(edge.faults.scope(""));
  for (auto& [name, application] : result["applications"].items()) {
    application["faults"] = describe(edge.faults.scope(name));
  }
  return result;
}

Response on_config(Edge& edge, const Request& request) {
  if (request.method == "PUT") edge.configure(parse_body(request));
  if (request.method == "PATCH") {
    json merged = edge.given();
    merged.merge_patch(parse_body(request));
    edge.configure(merged);
  }
  return ok(current_config(edge));
}

Response on_log(Edge& edge, const Request& request) {
  if (request.method == "DELETE") {
    edge.log.clear();
    return ok(json::object());
  }
  LogFilter filter{request.parameter("host"), request.parameter("path"), 0};
  if (request.query.contains("after")) filter.after = std::stoull(request.parameter("after"));
  return respond_json(200,
                      edge.log.select(filter).dump(-1, ' ', true, json::error_handler_t::replace));
}

void reset_stats(Edge& edge) {
  Stats fresh;
  fresh.open_connections = edge.stats.open_connections;
  fresh.open_tunnels = edge.stats.open_tunnels;
  edge.stats = fresh;
}

Response on_stats(Edge& edge, const Request& request) {
  if (request.method == "DELETE") reset_stats(edge);
  const Stats& stats = edge.stats;
  json result = {{"tls_connections", stats.tls_connections},
                 {"tls_handshakes", stats.tls_handshakes},
                 {"tls_resumed", stats.tls_resumed},
                 {"tls_failed", stats.tls_failed},
                 {"open_connections", stats.open_connections},
                 {"requests", stats.requests},
                 {"metadata", stats.metadata},
                 {"jwks", stats.jwks},
                 {"logins", stats.logins},
                 {"exchanges", stats.exchanges},
                 {"token_checks", stats.token_checks},
                 {"service_logins", stats.service_logins},
                 {"certificate_logins", stats.certificate_logins},
                 {"polls", stats.polls},
                 {"transfers", stats.transfers},
                 {"signatures", stats.signatures},
                 {"upgrades", stats.upgrades},
                 {"tunnels", stats.tunnels},
                 {"open_tunnels", stats.open_tunnels},
                 {"bytes_in", stats.bytes_in},
                 {"bytes_out", stats.bytes_out},
                 {"registrations", stats.registrations},
                 {"code_exchanges", stats.code_exchanges},
                 {"refreshes", stats.refreshes},
                 {"revocations", stats.revocations}};
  result.update(describe_traffic(stats));
  return ok(result);
}

Response on_tunnels(Edge& edge) {
  json list = json::array();
  for (const auto& [id, tunnel] : edge.tunnels) {
    list.push_back({{"id", id},
                    {"application", tunnel.application},
                    {"host", tunnel.host},
                    {"age", wall_time() - tunnel.record->started},
                    {"bytes_in", tunnel.record->bytes_in},
                    {"bytes_out", tunnel.record->bytes_out}});
  }
  return ok(list);
}

// The application a sign-in is for: named, by its aud, or the only one there is.
const Application& application_for(const Edge& edge, const Request& request) {
  const std::string name = request.parameter("app");
  if (!name.empty()) return application_named(edge, name);
  if (const auto found = edge.config.find_audience(request.parameter("aud"))) return *found;
  if (edge.config.applications.size() == 1) return *edge.config.applications.begin()->second;
  throw std::runtime_error("say which application: app, aud, or the printed URL as the body");
}

Response on_sign_in(Edge& edge, Request request) {
  if (!request.body.empty()) {
    const auto printed = parse_form(request.body.substr(request.body.find('?') + 1));
    for (const char* name : {"token", "aud", "send_org_token"}) {
      if (const auto found = printed.find(name); found != printed.end()) {
        request.query[name] = found->second;
        while (request.query[name].ends_with('\n')) request.query[name].pop_back();
      }
    }
  }
  const Application& application = application_for(edge, request);
  const std::string email = request.parameter("email");
  Delivery delivery{request.parameter("token"), email.empty() ? application.email : email,
                    request.parameter("org") != "0", "", ""};
  if (delivery.public_key.empty()) {
    const auto pending = edge.transfer.pending();
    if (pending.empty()) throw std::runtime_error("nobody polls for a token");
    delivery.public_key = pending.front();
  }
  if (!may_sign_in(application, delivery.email)) {
    return respond_json(403, json{{"error", "not allowed: " + delivery.email}}.dump());
  }
  if (!deliver(edge, application, delivery)) throw std::runtime_error("token: no public key");
  ++edge.stats.logins;
  return ok({{"token", delivery.public_key},
             {"application", application.name},
             {"email", delivery.email},
             {"app_token", delivery.app_token},
             {"org_token", delivery.org_token}});
}

Response on_mint(Edge& edge, const Request& request) {
  const json body = parse_body(request);
  const std::string kind = body.value("kind", "app");
  json claims;
  std::string team = body.value("team", edge.config.team);
  if (kind == "org") {
    claims = edge.tokens.org_claims(team, body.value("email", edge.config.login_email),
                                    body.value("expires_in", edge.config.org_token_lifetime));
  } else {
    const std::string name = body.value("application", "");
    const Application& application = application_named(edge, name);
    team = body.value("team", application.team);
    Identity identity{body.value("email", application.email), "", ""};
    if (kind == "service") identity = {"", body.value("common_name", "test.access"), ""};
    claims = edge.tokens.app_claims(application, identity,
                                    body.value("expires_in", application.token_lifetime));
    if (kind == "meta") claims["type"] = "meta";
  }
  if (body.contains("claims")) claims.merge_patch(body["claims"]);
  const json header = body.value("header", json::object());
  return ok(
      {{"token", edge.tokens.mint({team, claims.dump(), header.dump(), body.value("algorithm", ""),
                                   body.value("signature", "good") == "bad"})}});
}

Response on_rotate(Edge& edge, const Request& request) {
  const auto old = request.parameter("drop") == "1" ? KeyRing::Old::drop : KeyRing::Old::keep;
  std::vector<std::string> teams = {request.parameter("team")};
  if (teams[0].empty()) {
    edge.keys.current(edge.config.team);
    teams = edge.keys.teams();
  }
  json kids = json::object();
  for (const std::string& team : teams) {
    edge.keys.rotate(team, old);
    kids[team] = edge.keys.current(team).kid;
  }
  return ok(kids);
}

Response on_revoke(Edge& edge, const Request& request) {
  const json body = parse_body(request);
  const std::string kind = body.value("kind", "all");
  Revocation revocation;
  revocation.app = kind != "org";
  revocation.org = kind != "app";
  revocation.application = body.value("application", "");
  revocation.team = body.value("team", "");
  revocation.email = body.value("email", "");
  return ok({{"revoked", edge.tokens.revoke(revocation)}});
}

Response on_close_tunnels(Edge& edge, const Request& request) {
  const json body = parse_body(request);
  const std::string how = body.value("how", "close");
  Closing closing{Ending::close, body.value("code", 1000), body.value("reason", "")};
  if (how == "reset") closing.how = Ending::reset;
  if (how == "eof") closing.how = Ending::eof;
  if (how == "stall") closing.how = Ending::stall;
  const std::string name = body.value("application", "");
  std::size_t count = 0;
  const auto tunnels = edge.tunnels;  // closing changes the list
  for (const auto& [id, tunnel] : tunnels) {
    if (!name.empty() && tunnel.application != name) continue;
    tunnel.close(closing);
    ++count;
  }
  return ok({{"closed", count}});
}

Response on_reset(Edge& edge) {
  json given = edge.given();
  given.erase("faults");
  if (given.contains("applications")) {
    for (auto& [name, application] : given["applications"].items()) application.erase("faults");
  }
  edge.configure(given);
  edge.log.clear();
  reset_stats(edge);
  edge.tokens.forget_revocations();
  edge.transfer.clear();
  edge.grants.clear();
  return ok(json::object());
}

}  // namespace

Response control(Edge& edge, const Request& request, const std::function<void()>& stop) {
  const std::string what = request.path;
  try {
    if (what == "/config") return on_config(edge, request);
    if (what == "/log") return on_log(edge, request);
    if (what == "/stats") return on_stats(edge, request);
    if (what == "/tunnels") return on_tunnels(edge);
    if (what == "/pending") return ok(edge.transfer.pending());
    if (what == "/origin") return ok(origin_requests(edge, request));
    if (what == "/oauth" && request.method == "GET") return ok(edge.grants.describe());
    if (request.method != "POST") {
      return respond_json(404, json{{"error", "no such control: " + what}}.dump());
    }
    if (what == "/sign-in") return on_sign_in(edge, request);
    if (what == "/oauth") return ok(change_grants(edge, parse_body(request)));
    if (what == "/service-token") return ok(change_service_token(edge, parse_body(request)));
    if (what == "/mint") return on_mint(edge, request);
    if (what == "/rotate-keys") return on_rotate(edge, request);
    if (what == "/revoke") return on_revoke(edge, request);
    if (what == "/close-tunnels") return on_close_tunnels(edge, request);
    if (what == "/reset") return on_reset(edge);
    if (what == "/stop") {
      stop();
      return ok(json::object());
    }
  } catch (const std::exception& error) {
    return respond_json(400, json{{"error", error.what()}}.dump());
  }
  return respond_json(404, json{{"error", "no such control: " + what}}.dump());
}

}  // namespace edge
