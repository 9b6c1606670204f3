// Managed OAuth as one of the ways to a credential (docs/protocol.md section 6).
#pragma once

#include <optional>

#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/identity/login_turn.hpp"
#include "access/identity/oauth_login.hpp"

namespace mayfly {

// All URLs are without a query.
class ManagedOauth {
 public:
  // is_machine: a service token or a client certificate takes its place.
  ManagedOauth(const LoginParts& parts, bool is_machine)
      : parts_(parts), turn_(parts), is_machine_(is_machine) {}

  bool is_allowed() const noexcept;
  bool is_preferred() const noexcept;

  // Returns the stored token that has not expired. Uses no network.
  std::optional<OauthToken> known(const Url& url, const Application& application) const;
  // Returns the stored token, renewed if it has expired, or nullopt. Never logs in.
  std::optional<OauthToken> renewed(const Url& url, const Application& application) const;
  // As renewed(), but a grant that is refused for good is none, so that it does not keep the person
  // from another way in.
  std::optional<OauthToken> usable(const Url& url, const Application& application) const;
  // Returns a token that differs from `refused`; logs in if need be. Throws as
  // obtain_oauth_token().
  OauthToken obtain(const Url& url, const Application& application,
                    const std::optional<OauthToken>& refused) const;

  // Returns whether the application says that it offers Managed OAuth.
  bool is_offered(const Url& url, const Application& application) const;
  // Returns whether it says that it offers no other login. first: its answer to a question without
  // a credential; only if that has the mark of Managed OAuth, the application is asked.
  bool is_offered_alone(const Url& url, const Application& application,
                        const Response& first) const;

 private:
  OauthContext context(const Url& url, const Application& application) const;

  LoginParts parts_;
  LoginTurn turn_;
  bool is_machine_;
};

}  // namespace mayfly
