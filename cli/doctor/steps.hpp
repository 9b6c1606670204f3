// The steps of an examination. Each looks at what those before have found, adds what it finds, and
// says what that means; an Error that it throws is a failure of the step.
#pragma once

#include <optional>

#include "access/identity/token_store.hpp"
#include "cli/doctor/case.hpp"
#include "cli/doctor/finding.hpp"

namespace mayfly::cli::doctor {

Finding check_state_directory(Case& the_case);
Finding check_proxy(Case& the_case);
Finding check_dns(Case& the_case);
Finding check_tcp_ipv4(Case& the_case);
Finding check_tcp_ipv6(Case& the_case);
Finding check_tls(Case& the_case);
Finding check_clock(Case& the_case);
Finding check_application(Case& the_case);
Finding check_client_certificate(Case& the_case);
Finding check_service_token(Case& the_case);
Finding check_token(Case& the_case);
Finding check_upgrade(Case& the_case);
Finding check_ssh_banner(Case& the_case);
Finding check_ssh_config(Case& the_case);
Finding check_ssh_certificate(Case& the_case);
Finding check_agent(Case& the_case);

// The application's token in exchange for the team's stored one; nothing when that is not there or
// not accepted.
std::optional<StoredToken> token_of_team(Case& the_case);

}  // namespace mayfly::cli::doctor
