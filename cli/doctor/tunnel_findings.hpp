// What the edge answered to the upgrade, and what the origin said first.
#pragma once

#include "access/answer/login.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/tunnel/tunnel_probe.hpp"
#include "cli/doctor/finding.hpp"

namespace mayfly::cli::doctor {

// What was shown to the edge: after its login page, a stored token may have been revoked, but one
// just made is refused for another reason.
enum class Shown { nothing, stored_token, fresh_token, service_token };
Finding judge_upgrade(const Url& url, const Response& answer, Shown shown,
                      const TeamOf& team = team_unknown);

// For an origin that is no SSH server there is nothing to be said against it.
Finding judge_heard(const Heard& heard);
bool is_ssh_server(const Heard& heard);

}  // namespace mayfly::cli::doctor
