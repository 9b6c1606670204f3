#include "cli/tunnel/credential_source.hpp"

#include <memory>

#include "access/dial/upgrade.hpp"
#include "cli/flags/secret_text.hpp"

namespace mayfly::cli {
namespace {

constexpr const char* token_header = "Cf-Access-Token";
constexpr const char* oauth_header = "Authorization";
constexpr std::string_view bearer = "Bearer ";

// Returns the token in credential headers, or "".
std::string token_in(const Headers& headers) {
  if (headers.contains(token_header)) return std::string(headers.find(token_header));
  const std::string_view value = headers.find(oauth_header);
  return std::string(value.starts_with(bearer) ? value.substr(bearer.size()) : "");
}

// A host without an application gets neither token. A service token goes alone, since some
// organisations ignore a token beside it, and others ignore the service token then.
Headers headers_of(const Session& session, const Grant& grant) {
  if (!grant.application) return {};
  if (const auto service_token = session.service_token())
    return service_token_headers(*service_token);
  return credential_headers(grant);
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
    if (why == Authorization::Why::starting) {
      *last = credentials.try_out(url, Credentials::Person::absent);
      return headers_of(session, *last);
    }
    const bool is_refused = why == Authorization::Why::refused;
    if (is_refused && session.service_token_after_refusal()) {
      auto known = credentials.known(url);
      *last = known ? std::move(*known) : credentials.obtain(url);
    } else {
      *last = is_refused ? credentials.renew(url, *last) : credentials.obtain(url);
    }
    return headers_of(session, *last);
  };
  source.may_send = [&session, url, last](const Headers& headers) {
    const std::string token = token_in(headers);
    return token.empty() || session.credentials().may_send(url, last->application, token);
  };
  // A listener's login process stores its token on disk, which may name another team than before.
  source.team = [&session, url, last] {
    const auto grant = session.credentials().known(url);
    const auto& application = grant ? grant->application : last->application;
    return application ? application->auth_domain : std::string();
  };
  return source;
}

SessionOptions::Oauth oauth_beside(const Headers& user_headers) {
  return user_headers.contains(oauth_header) ? SessionOptions::Oauth::never
                                             : SessionOptions::Oauth::allowed;
}

Headers checked_headers(const Url& url, const std::vector<std::string>& lines,
                        const IdentityFlags& identity, const std::string& destination) {
  Headers headers = user_headers(lines);
  for (const Header& header : headers) refuse_second_service_token(header.name, identity);
  if (!destination.empty()) headers.add("Cf-Access-Jump-Destination", destination);
  static_cast<void>(upgrade_text({url, headers, {}, {}}));
  return headers;
}

}  // namespace mayfly::cli
