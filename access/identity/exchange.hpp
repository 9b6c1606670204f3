// Exchanges an org token for an app token without a browser (docs/protocol.md section 2, Exchange).
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "access/core/secret.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"

namespace mayfly {

struct OrgTokenExchange {
  const Url& url;  // of the application, without a query
  const Application& application;
  const Secret& org_token;
  std::chrono::sys_seconds now;
  // Called before each of the three requests, as Request::before_sending.
  const std::function<void()>& before_sending;
};

// Returns the app token, or nullopt if the edge does not grant one (revoked, another login wanted).
// Sends the org token to the team domain's login path over https and nowhere else, whatever a
// redirect says. Throws Error(network), and what before_sending throws.
std::optional<Secret> exchange_org_token(const Send& send, const OrgTokenExchange& exchange);

}  // namespace mayfly
