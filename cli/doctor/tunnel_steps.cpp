#include "access/answer/login.hpp"
#include "cli/doctor/steps.hpp"

namespace mayfly::cli::doctor {
namespace {

// sshd speaks first, and at once unless it looks up names or is overloaded.
constexpr std::chrono::seconds banner_takes{4};

Response open(Case& the_case) {
  Headers headers = *the_case.opening;
  if (the_case.application && the_case.service_token) {
    headers.add(service_token_headers(*the_case.service_token));
    if (the_case.shown == Shown::nothing) the_case.shown = Shown::service_token;
  }
  return the_case.probe().upgrade(std::move(headers));
}

}  // namespace

Finding check_upgrade(Case& the_case) {
  if (!the_case.opening) return skipped("nothing is there that opens the application");
  Response answer = open(the_case);
  // As every command does: the stored token may have been revoked.
  if (the_case.shown == Shown::stored_token &&
      wants_login(the_case.url, answer.status, answer.headers, the_case.team())) {
    if (const auto fresh = token_of_team(the_case)) {
      the_case.opening = {{"Cf-Access-Token", std::string(fresh->jwt.reveal())}};
      the_case.shown = Shown::fresh_token;
      answer = open(the_case);
    }
  }
  the_case.tunnel_is_open = answer.status == 101;
  return judge_upgrade(the_case.url, answer, the_case.shown, the_case.team());
}

Finding check_ssh_banner(Case& the_case) {
  if (!the_case.tunnel_is_open) return skipped("no tunnel is open");
  const Heard heard = the_case.probe().hear("SSH-", banner_takes);
  the_case.origin = is_ssh_server(heard) ? Origin::ssh_server : Origin::other;
  return judge_heard(heard);
}

}  // namespace mayfly::cli::doctor
