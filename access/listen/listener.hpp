// Listeners: each connection to a local address gets a tunnel of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "access/core/error.hpp"
#include "access/dial/tunnel_options.hpp"
#include "access/listen/listen_address.hpp"
#include "access/pump/traffic.hpp"

namespace mayfly {

// The options of every listener, that of `mayfly http` included.
struct ListenOptions {
  std::vector<ListenAddress> addresses;
  // Called for each address once it accepts connections, with the port that was chosen for port 0.
  std::function<void(const ListenAddress&)> ready = [](const ListenAddress&) {};
  // Called once, after `ready`, when the listener has tried its application: with the error that
  // its connections will meet, or Error(login_needed) if the first one will have to log in.
  std::function<void(const std::optional<Error>&)> tried = [](const std::optional<Error>&) {};
  // Called with the error of each connection that could not be served.
  std::function<void(const Error&)> failed = [](const Error&) {};
  // at_start: tries the application and calls `tried`. done: the caller has tried it.
  enum class Trial { at_start, done } trial = Trial::at_start;
  // The socket of a SupervisorLink, or -1: the listener serves one program, and ends with it.
  int supervisor = -1;
  // The process that the listener ends with, or 0.
  long parent = 0;
};

struct ListenerOptions : ListenOptions {
  TunnelOptions tunnel;
  // Called when a tunnel has ended.
  std::function<void(const Ending&)> ended = [](const Ending&) {};
  // Called for each tunnel with its number, which counts from 1: when it is open, with the name of
  // its destination or "", and when it has ended.
  std::function<void(std::uint64_t, const std::string&)> opened = [](std::uint64_t, const auto&) {};
  std::function<void(std::uint64_t, const Ending&)> closed = [](std::uint64_t, const auto&) {};
};

// Serves connections, in one thread, until SIGTERM, SIGINT or SIGHUP. Then closes every tunnel with
// 1001 and returns within 2 s. Throws Error if it cannot listen on an address.
void run_listener(const ListenerOptions& options, const Authorization& authorization);

// The same for a bastion application: each connection names its destination by SOCKS5 (RFC 1928).
void run_socks_listener(const ListenerOptions& options, const Authorization& authorization);

}  // namespace mayfly
