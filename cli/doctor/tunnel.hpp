// The results of the checks of a tunnel: the upgrade, and the origin's first bytes.
#pragma once

#include "access/answer/login.hpp"
#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/tunnel/tunnel_probe.hpp"
#include "cli/doctor/check.hpp"

namespace mayfly::cli::doctor {

// The credential that was shown to the edge. A login page then means for a stored token that it may
// have been revoked, and for a fresh one another reason.
enum class Shown { nothing, stored_token, fresh_token, service_token };
CheckResult judge_upgrade(const Url& url, const Response& answer, Shown shown,
                          const TeamOf& team = team_unknown);

// An origin that is no SSH server is no failure.
CheckResult judge_heard(const Heard& heard);
bool is_ssh_server(const Heard& heard);

}  // namespace mayfly::cli::doctor
