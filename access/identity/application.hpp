// Which application is this? Signed metadata, verified (protocol.md section 1).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "access/core/files.hpp"
#include "access/core/url.hpp"
#include "access/transport/http.hpp"

namespace mayfly {

struct Application {
  std::string auth_domain;  // "<team>.cloudflareaccess.com"
  std::string audience;
  std::string hostname;  // as defined in Access; may hold "*"
  bool operator==(const Application&) const = default;
};

// auth_domain claim -> host: lower-cased host of a URL authority that ends in ".cloudflareaccess.com";
// nothing otherwise.
std::optional<std::string> auth_domain_host(std::string_view claim);

class ApplicationFinder {
 public:
  ApplicationFinder(const StateDirectory& state, const Send& send) : state_(state), send_(send) {}

  // From "<host[-path]>-app", whose signature must verify against the cached keys; no network. Nothing
  // when there is none or it does not verify. Its age is not judged: the edge refuses a token that is no longer right.
  std::optional<Application> known(const Url& url) const;

  // Asks the edge, verifies, remembers. Nothing when there is no Access application. Throws
  // Error(network) or Error(protocol), and changes no file then.
  std::optional<Application> find(const Url& url, std::chrono::sys_seconds now) const;

  void forget(const Url& url) const;

 private:
  const StateDirectory& state_;
  const Send& send_;
};

}  // namespace mayfly
