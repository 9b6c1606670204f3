#include "cli/tunnel/credential_source.hpp"

#include <memory>

#include "access/dial/upgrade.hpp"
#include "cli/flags/secret_text.hpp"

namespace mayfly::cli {
namespace {

constexpr const char* token_header = "Cf-Access-Token";

Headers headers_of(const Session& session, const Grant& grant) {
  Headers headers;
  if (grant.token) headers.add(token_header, std::string(grant.token->jwt.reveal()));
  // A service token still opens the application when its app token has been revoked. A host without
  // an application gets neither.
  if (grant.application && session.service_token())
    headers.add(service_token_headers(*session.service_token()));
  return headers;
}

}  // namespace

Authorization credential_source(Session& session, const Url& url) {
  const auto last = std::make_shared<Grant>();
  Authorization source;
  source.known = [&session, url, last]() -> std::optional<Headers> {
    auto grant = session.credentials().known(url);
    if (!grant) return std::nullopt;
    *last = std::move(*grant);
    return headers_of(session, *last);
  };
  source.obtain = [&session, url, last](Authorization::Why why) {
    const Credentials& credentials = session.credentials();
    *last = why == Authorization::Why::refused ? credentials.renew(url, *last)
                                               : credentials.obtain(url);
    return headers_of(session, *last);
  };
  source.may_send = [&session, url, last](const Headers& headers) {
    return !headers.contains(token_header) ||
           session.credentials().may_send(url, last->application, headers.find(token_header));
  };
  // A listener's login process stores its token on disk, which may name another team than before.
  source.team = [&session, url, last] {
    const auto grant = session.credentials().known(url);
    const auto& application = grant ? grant->application : last->application;
    return application ? application->auth_domain : std::string();
  };
  return source;
}

Headers checked_headers(const Url& url, const std::vector<std::string>& lines,
                        const std::string& destination) {
  Headers headers = user_headers(lines);
  if (!destination.empty()) headers.add("Cf-Access-Jump-Destination", destination);
  static_cast<void>(upgrade_text({url, headers, {}, {}}));
  return headers;
}

}  // namespace mayfly::cli
