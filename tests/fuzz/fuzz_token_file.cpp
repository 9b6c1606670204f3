// A stored token: its file as it is, or as two lines of JSON that are put together here.
#include "access/core/encoding.hpp"
#include "access/identity/token_store.hpp"
#include "fuzz.hpp"
#include "property.hpp"
#include "scratch.hpp"

namespace mayfly::fuzz {
namespace {

const Application application{"team.cloudflareaccess.com", "audience", "vm.example.com"};
const std::string issuer = issuer_of(application.auth_domain);

std::string file_of(std::string_view input) {
  if (!input.starts_with('{')) return std::string(input);
  Input lines(input);
  const auto encoded = [](std::string_view part) {
    return base64_encode(part, Base64::url_unpadded);
  };
  const std::string header = encoded(lines.line());
  return header + "." + encoded(lines.rest()) + ".c2lnbmF0dXJl";
}

enum class OfAnotherTeam { deleted, stays };

template <typename Load>
void check_load(const ScratchState& scratch, const std::string& content, const std::string& name,
                OfAnotherTeam of_another_team, const Load& load) {
  scratch.put(name, content);
  const auto stored = load();
  const auto claims =
      read_token(content.ends_with('\n') ? content.substr(0, content.size() - 1) : content);
  if (!claims) require(!stored, "what is no token is not used");
  if (!claims || stored) require(scratch.content(name) == content, "such a file stays");
  if (claims && !stored) {
    const bool stays = of_another_team == OfAnotherTeam::stays && claims->issuer != issuer;
    require(scratch.holds(name) == stays, "an expired or foreign token is deleted");
  }
  if (stored) require(stored->claims.expires > now, "an expired token is not used");
}

const Harness harness("token_file", [](std::string_view input) {
  static const ScratchState scratch;
  const std::string content = file_of(input);
  check_load(scratch, content, app_token_file(application), OfAnotherTeam::stays, [] {
    auto stored = load_app_token(scratch.state(), application, now);
    if (stored)
      require(stored->claims.is_for("audience") && stored->claims.issuer == issuer,
              "a foreign token is not used");
    return stored;
  });
  check_load(scratch, content, org_token_file(application.auth_domain), OfAnotherTeam::deleted, [] {
    auto stored = load_org_token(scratch.state(), application.auth_domain, now);
    if (stored) require(stored->claims.issuer == issuer, "a foreign token is not used");
    return stored;
  });

  const Secret jwt{std::string_view(content)};
  if (result_of({ErrorKind::protocol}, [&] { return check_app_token(application, jwt, now); })) {
    save_app_token(scratch.state(), application, jwt, now);
    const auto stored = load_app_token(scratch.state(), application, now);
    require(stored && stored->jwt == jwt, "what was saved is there");
  }
});

}  // namespace
}  // namespace mayfly::fuzz
