// Everything one running edge knows.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "authority.hpp"
#include "config.hpp"
#include "grants.hpp"
#include "key_ring.hpp"
#include "login.hpp"
#include "request_log.hpp"
#include "ssh_authority.hpp"
#include "stats.hpp"
#include "token.hpp"
#include "transfer.hpp"

namespace edge {

enum class Ending { close, reset, eof, stall };

struct Closing {
  Ending how = Ending::close;
  int code = 1000;
  std::string reason;
};

struct OpenTunnel {
  std::string application;
  std::string host;
  std::shared_ptr<TunnelRecord> record;
  std::function<void(const Closing&)> close;
};

struct Edge {
  explicit Edge(const std::string& where);

  // Takes a whole configuration (JSON); throws std::runtime_error and changes nothing if it is bad.
  void configure(const nlohmann::json& given);
  // The configuration as given, with what is left of each fault.
  nlohmann::json given() const;

  std::string directory;
  Config config;
  FaultBoard faults;
  RequestLog log;
  Stats stats;
  KeyRing keys;
  Tokens tokens;
  Authority authority;
  SshAuthority ssh;
  Transfer transfer;
  Logins logins;
  Grants grants;
  std::map<std::uint64_t, OpenTunnel> tunnels;
  std::uint64_t next_connection = 1;
  std::uint64_t next_tunnel = 1;

 private:
  std::string given_ = "{}";
};

}  // namespace edge
