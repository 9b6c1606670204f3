// Tells apart applications, team domains and transfer services.
#include <algorithm>

#include "clock.hpp"
#include "crypto.hpp"
#include "marks.hpp"
#include "metadata.hpp"
#include "oauth.hpp"
#include "pages.hpp"
#include "visit.hpp"

namespace edge {
namespace {

// The application an /cdn-cgi/access/ request is for: several may share a host, told apart by path,
// and these requests name theirs by aud or by where they lead in the end.
ApplicationPointer find_named(const Config& config, const Request& request) {
  const std::string next = request.parameter("redirect_url");
  const std::string path = next.substr(0, next.find('?'));
  auto form = parse_form(next.substr(std::min(path.size() + 1, next.size())));
  for (const std::string& aud : {request.parameter("aud"), form["aud"]}) {
    const auto application = config.find_audience(aud);
    if (application && config.find(request.host, application->path) == application) {
      return application;
    }
  }
  const auto application = config.find(request.host, path.starts_with('/') ? path : "/");
  return application ? application : config.find_host(request.host);
}

void count_request(const Visit& visit) {
  ApplicationTraffic& traffic = visit.edge.stats.applications[visit.application->name];
  traffic.connections.insert(visit.peer.connection);
  ++traffic.requests;
}

Answer dispatch(Visit& visit) {
  const std::string& host = visit.request.host;
  if (host == "login.cloudflareaccess.org" || host == "login.fed.cloudflareaccess.org") {
    return route_transfer(visit);
  }
  if (auto document = route_well_known(visit)) {
    if (visit.application) count_request(visit);
    return *document;
  }
  if (host.ends_with(team_suffix)) {
    const std::string team = host.substr(0, host.size() - team_suffix.size());
    if (visit.edge.config.has_team(team)) return route_team(visit, team);
  }
  const bool ours = visit.request.path.starts_with("/cdn-cgi/access/");
  visit.application = ours ? find_named(visit.edge.config, visit.request)
                           : visit.edge.config.find(host, visit.request.path);
  if (!visit.application) return answer(error_page(530, 1016, visit.ray));
  visit.entry.application = visit.application->name;
  count_request(visit);
  return route_application(visit);
}

bool asks_for_metadata(const Visit& visit) {
  if (!visit.application || visit.application->policy == Policy::none) return false;
  return lower(visit.request.header("cf-access-metadata-request")) == "true";
}

// What stands before Access (a firewall, a challenge), or finds no way on, answers in its place.
std::optional<Answer> refuse_metadata(Visit& visit) {
  for (const char* name : {"403", "403_challenge", "403_waf", "404", "429", "502", "530_1033"}) {
    if (!visit.fault(std::string("metadata.") + name)) continue;
    if (std::string_view(name) == "403") return answer(access_forbidden(visit));
    return answer(*refusal_page(name, visit.request.host, visit.ray));
  }
  return std::nullopt;
}

void add_metadata(Visit& visit, Answer& reply) {
  ++visit.edge.stats.metadata;
  if (auto metadata = metadata_for(visit)) {
    reply.response.fields.push_back({"Cf-Access-Metadata", *metadata});
    reply.fields.push_back({"Cf-Access-Metadata", *metadata});
  }
}

}  // namespace

std::optional<Fault> Visit::fault(std::string_view name) {
  auto taken = edge.faults.take(application_name(), name);
  if (taken) entry.faults.push_back(taken->name);
  return taken;
}

std::optional<Fault> Visit::fault_in(std::string_view area) {
  auto taken = edge.faults.take_area(application_name(), area);
  if (taken) entry.faults.push_back(taken->name);
  return taken;
}

void Visit::slow(std::string_view name) {
  if (const auto taken = fault(name)) delay += taken->seconds;
}

Answer answer(Response response) {
  Answer reply;
  reply.response = std::move(response);
  return reply;
}

Answer route(Visit& visit) {
  Answer reply;
  try {
    reply = dispatch(visit);
    if (asks_for_metadata(visit)) {
      if (auto refusal = refuse_metadata(visit)) {
        reply = std::move(*refusal);
      } else {
        add_metadata(visit, reply);
      }
    }
  } catch (const std::exception& error) {
    reply = answer(message_page(500, "Edge failed", error.what()));
  }
  reply.delay = visit.delay;
  const std::vector<Field> usual = {
      {"Date", http_date(visit.edge.tokens.now() + visit.edge.config.date_skew)},
      {"Server", "cloudflare"},
      {"CF-RAY", visit.ray}};
  for (auto* fields : {&reply.response.fields, &reply.fields}) {
    fields->insert(fields->begin(), usual.begin(), usual.end());
  }
  return reply;
}

}  // namespace edge
