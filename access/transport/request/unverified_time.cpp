#include "access/transport/request/unverified_time.hpp"

#include <chrono>
#include <utility>

#include "access/core/edge_clock.hpp"
#include "access/transport/request/http.hpp"

namespace mayfly {

void ask_unverified_time(const ConnectionOptions& options, const Url& url) noexcept try {
  static bool asked = false;
  if (std::exchange(asked, true) || is_edge_time_known() ||
      options.verify == ConnectionOptions::Verify::no)
    return;
  ConnectionOptions unverified = options;
  unverified.verify = ConnectionOptions::Verify::no;
  unverified.client_certificate = nullptr;
  Url root = url;
  root.path = "/";
  root.query.clear();
  // The client notes the date of what it receives.
  HttpClient(unverified)
      .send({.method = Request::Method::head,
             .url = root,
             .headers = {},
             .body = {},
             .timeout = std::chrono::seconds(3)});
} catch (...) {
}

}  // namespace mayfly
