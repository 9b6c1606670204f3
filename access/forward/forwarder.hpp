// A local HTTP listener in front of an application: each request goes on with what opens it.
#pragma once

#include <chrono>

#include "access/forward/http_guard.hpp"
#include "access/forward/http_rewrite.hpp"
#include "access/listen/listener.hpp"

namespace mayfly {

// How long a connection may stand still.
struct HttpPatience {
  std::chrono::milliseconds between_requests = std::chrono::minutes(2);
  std::chrono::milliseconds head = std::chrono::seconds(30);     // the whole, from its first byte
  std::chrono::milliseconds silence = std::chrono::minutes(10);  // on both sides of a request
};

struct ForwarderOptions : ListenOptions {
  TunnelOptions edge;  // its url is the application; its headers replace those of the programs
  HttpPatience patience = {};
  std::vector<std::string> aliases = {};  // LocalPlace::aliases, and so on
  std::string own_name = {};
  LocalPlace::LocalNames local_names = LocalPlace::LocalNames::without_hyphen;
  LocalPlace::ServiceWorkers service_workers = LocalPlace::ServiceWorkers::refused;
  ChangedUrls changed_urls = ChangedUrls::everywhere;
};

// As run_listener(): blocks until a signal, one thread. Requests under way at the signal get a
// moment.
void run_forwarder(const ForwarderOptions& options, const Authorization& authorization);

}  // namespace mayfly
