#include "cli/tunnel/tunnel_authorization.hpp"

#include <algorithm>
#include <memory>

namespace mayfly::cli {
namespace {

constexpr const char* token_header = "Cf-Access-Token";

std::vector<Header> headers_of(const Session& session, const Grant& grant) {
  std::vector<Header> headers;
  if (grant.token) headers.emplace_back(token_header, grant.token->jwt.reveal());
  // The service token goes along: it still opens the door when its token has been revoked. Where
  // there is no application of Access, it goes to nobody.
  if (grant.application && session.service_token()) {
    for (Header& header : service_token_headers(*session.service_token())) {
      headers.push_back(std::move(header));
    }
  }
  return headers;
}

}  // namespace

Authorization tunnel_authorization(Session& session, const Url& url) {
  const auto last = std::make_shared<Grant>();
  Authorization authorization;
  authorization.known = [&session, url, last]() -> std::optional<std::vector<Header>> {
    auto grant = session.credentials().known(url);
    if (!grant) return std::nullopt;
    *last = std::move(*grant);
    return headers_of(session, *last);
  };
  authorization.obtain = [&session, url, last](Authorization::Why why) {
    const Credentials& credentials = session.credentials();
    *last = why == Authorization::Why::refused ? credentials.renew(url, *last)
                                               : credentials.obtain(url);
    return headers_of(session, *last);
  };
  authorization.may_send = [&session, url, last](const std::vector<Header>& headers) {
    const auto token = std::find_if(headers.begin(), headers.end(),
                                    [](const Header& one) { return one.first == token_header; });
    return token == headers.end() ||
           session.credentials().may_send(url, last->application, token->second);
  };
  // The login process stored a token on disk, perhaps of another team than before.
  authorization.team = [&session, url, last] {
    const auto grant = session.credentials().known(url);
    const auto& application = grant ? grant->application : last->application;
    return application ? application->auth_domain : std::string();
  };
  return authorization;
}

}  // namespace mayfly::cli
