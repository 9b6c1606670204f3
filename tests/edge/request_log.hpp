// What was asked and how it was answered, kept for tests to look at.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "message.hpp"

namespace edge {

// The other side of a TLS connection.
struct Peer {
  std::uint64_t connection = 0;
  std::string tls_version;
  bool resumed = false;
  std::string sni;
  std::string certificate;  // subject; "" when none was presented
  std::string common_name;
  std::string certificate_check = "none";
  bool certificate_good = false;
};

struct TunnelRecord {
  bool open = true;
  std::uint64_t bytes_in = 0, bytes_out = 0, messages_in = 0, messages_out = 0;
  std::uint64_t pings_in = 0, pongs_in = 0;
  int close_received = 0, close_sent = 0;  // 0: none
  std::string close_reason;
  std::string end = "open";
  double started = 0, seconds = 0;
  std::string script;  // JSON text; "" unless the origin is a script
};

struct Entry {
  std::uint64_t seq = 0;
  double time = 0;
  Peer peer;
  std::string application;
  Request request;
  int status = 0;
  std::string location;
  std::vector<std::string> faults;
  std::shared_ptr<TunnelRecord> tunnel;
  bool reached_origin = false;
  std::vector<Field> origin_fields;  // as the origin got them
};

struct LogFilter {
  std::string host;
  std::string path;
  std::uint64_t after = 0;
};

class RequestLog {
 public:
  // The new entry stays valid for whoever holds it, also after it was forgotten here.
  std::shared_ptr<Entry> add(const Peer& peer, const Request& request, bool keep);
  void clear() { entries_.clear(); }
  nlohmann::json select(const LogFilter& filter) const;

 private:
  std::deque<std::shared_ptr<Entry>> entries_;
  std::uint64_t next_ = 1;
};

double wall_time();  // seconds since the epoch

}  // namespace edge
