#include "cli/tunnel/credential_source.hpp"

#include <algorithm>
#include <memory>

#include "access/dial/upgrade.hpp"
#include "cli/flags/secret_text.hpp"

namespace mayfly::cli {
namespace {

constexpr const char* token_header = "Cf-Access-Token";

std::vector<Header> headers_of(const Session& session, const Grant& grant) {
  std::vector<Header> headers;
  if (grant.token) headers.emplace_back(token_header, grant.token->jwt.reveal());
  // A service token still opens the application when its app token has been revoked. A host without
  // an application gets neither.
  if (grant.application && session.service_token()) {
    for (Header& header : service_token_headers(*session.service_token())) {
      headers.push_back(std::move(header));
    }
  }
  return headers;
}

}  // namespace

Authorization credential_source(Session& session, const Url& url) {
  const auto last = std::make_shared<Grant>();
  Authorization source;
  source.known = [&session, url, last]() -> std::optional<std::vector<Header>> {
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
  source.may_send = [&session, url, last](const std::vector<Header>& headers) {
    const auto token = std::find_if(headers.begin(), headers.end(),
                                    [](const Header& one) { return one.first == token_header; });
    return token == headers.end() ||
           session.credentials().may_send(url, last->application, token->second);
  };
  // A listener's login process stores its token on disk, which may name another team than before.
  source.team = [&session, url, last] {
    const auto grant = session.credentials().known(url);
    const auto& application = grant ? grant->application : last->application;
    return application ? application->auth_domain : std::string();
  };
  return source;
}

std::vector<Header> checked_headers(const Url& url, const std::vector<std::string>& lines,
                                    const std::string& destination) {
  std::vector<Header> headers = user_headers(lines);
  if (!destination.empty()) headers.emplace_back("Cf-Access-Jump-Destination", destination);
  static_cast<void>(upgrade_text({url, headers, {}, {}}));
  return headers;
}

}  // namespace mayfly::cli
