#include "access/identity/service_token_team.hpp"

#include <fmt/core.h>

#include <optional>

#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/core/state_names.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

constexpr std::size_t longest_team = 255;

std::string record_of(const ServiceToken& token) {
  return state_name(StateFile::service_team, bare_id(token.id));
}

std::optional<std::string> remembered_team(const ServiceToken& token, const StateDirectory& state) {
  auto file = state.read(record_of(token), longest_team);
  if (!file) return std::nullopt;
  return std::string(trim(file->content, " \t\r\n"));
}

Error team_differs(const ServiceToken& token, const Application& application,
                   const std::string& team) {
  return {
      ErrorKind::refused,
      fmt::format("the service token {} is not sent to {}: that application belongs to the team "
                  "{}, and the token has been used for the team {}",
                  printable(token.id, 80), printable(application.hostname), application.auth_domain,
                  printable(team)),
      "check the name of the application; if the team has been renamed, run: mayfly logout "
      "--all"};
}

// Returns whether a team is remembered. Throws if it is another than the application's.
bool has_gone_to_team_of(const Application& application, const ServiceToken& token,
                         const StateDirectory& state) {
  const auto team = remembered_team(token, state);
  if (team && *team != application.auth_domain) throw team_differs(token, application, *team);
  return team.has_value();
}

}  // namespace

void check_team_of(const ServiceToken& token, const Application& application,
                   const StateDirectory& state) {
  has_gone_to_team_of(application, token, state);
}

void require_team_of(const ServiceToken& token, const Application& application,
                     const StateDirectory& state) {
  if (has_gone_to_team_of(application, token, state)) return;
  try {
    state.write(record_of(token), application.auth_domain + "\n");
  } catch (const Error& error) {
    log(LogLevel::debug, "the team of the service token is not remembered",
        {{"reason", error.message()}});
  }
}

}  // namespace mayfly
