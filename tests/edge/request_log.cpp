// What was asked and how it was answered, kept for tests to look at.
#include "request_log.hpp"

#include <chrono>
#include <nlohmann/json.hpp>

namespace edge {
namespace {

using nlohmann::json;

constexpr std::size_t largest_log = 20000;
constexpr std::size_t most_logged_body = 16384;

json number_or_null(int code) {
  return code == 0 ? json(nullptr) : json(code);
}

json describe(const TunnelRecord& tunnel) {
  json result = {{"open", tunnel.open},
                 {"bytes_in", tunnel.bytes_in},
                 {"bytes_out", tunnel.bytes_out},
                 {"messages_in", tunnel.messages_in},
                 {"messages_out", tunnel.messages_out},
                 {"pings_in", tunnel.pings_in},
                 {"pongs_in", tunnel.pongs_in},
                 {"close_received", number_or_null(tunnel.close_received)},
                 {"close_reason", tunnel.close_reason},
                 {"close_sent", number_or_null(tunnel.close_sent)},
                 {"end", tunnel.end},
                 {"seconds", tunnel.open ? wall_time() - tunnel.started : tunnel.seconds}};
  if (!tunnel.script.empty()) result["script"] = json::parse(tunnel.script);
  return result;
}

json describe(const std::vector<Field>& list) {
  json fields = json::array();
  for (const Field& field : list) fields.push_back({field.name, field.value});
  return fields;
}

json describe(const Entry& entry) {
  const Peer& peer = entry.peer;
  json certificate = peer.certificate.empty() ? json(nullptr) : json(peer.certificate);
  return {
      {"seq", entry.seq},
      {"time", entry.time},
      {"connection", peer.connection},
      {"tls",
       {{"version", peer.tls_version},
        {"resumed", peer.resumed},
        {"sni", peer.sni},
        {"certificate", std::move(certificate)},
        {"certificate_check", peer.certificate_check}}},
      {"application", entry.application},
      {"host", entry.request.host},
      {"method", entry.request.method},
      {"target", entry.request.target},
      {"path", entry.request.path},
      {"headers", describe(entry.request.fields)},
      {"body", entry.request.body},
      {"status", entry.status},
      {"location", entry.location},
      {"faults", entry.faults},
      {"origin", entry.reached_origin ? json{{"headers", describe(entry.origin_fields)}} : json()},
      {"tunnel", entry.tunnel ? describe(*entry.tunnel) : json(nullptr)}};
}

}  // namespace

std::shared_ptr<Entry> RequestLog::add(const Peer& peer, const Request& request, bool keep) {
  auto entry = std::make_shared<Entry>();
  entry->seq = next_++;
  entry->time = wall_time();
  entry->peer = peer;
  if (!keep) return entry;
  entry->request = request;
  if (entry->request.body.size() > most_logged_body) entry->request.body.resize(most_logged_body);
  entries_.push_back(entry);
  if (entries_.size() > largest_log) entries_.pop_front();
  return entry;
}

json RequestLog::select(const LogFilter& filter) const {
  json result = json::array();
  for (const auto& entry : entries_) {
    if (entry->seq <= filter.after) continue;
    if (!filter.host.empty() && entry->request.host != filter.host) continue;
    if (!entry->request.path.starts_with(filter.path)) continue;
    result.push_back(describe(*entry));
  }
  return result;
}

double wall_time() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

}  // namespace edge
