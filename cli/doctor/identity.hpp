// The results of the checks of the application and of its credentials.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/jwt/jwt.hpp"
#include "access/tls/handshake.hpp"
#include "cli/doctor/check.hpp"

namespace mayfly::cli::doctor {

// answer: to the request for the application's metadata.
CheckResult judge_application(const Url& url, const std::optional<Application>& application,
                              const Response& answer);

// A client certificate, the edge's request for one in the handshake, and the answer to it.
enum class CertificateUse { not_shown, accepted, accepted_before_login };
struct CertificateShown {
  CertificateFacts facts;
  CertificateRequest request;
  CertificateUse use = CertificateUse::not_shown;
};
CheckResult judge_client_certificate(const CertificateShown& shown, std::chrono::sys_seconds now);
// Judges that no client certificate is given.
CheckResult judge_no_client_certificate(const CertificateRequest& request);

// Judges a service token that was accepted. earned: the app token in exchange for it.
CheckResult judge_service_token(const std::string& id, const std::optional<TokenClaims>& earned,
                                std::chrono::sys_seconds now);

// The tokens in the state directory, valid or not.
struct StoredTokens {
  std::optional<TokenClaims> application;
  std::optional<TokenClaims> team;
};
CheckResult judge_stored_token(const StoredTokens& tokens, std::chrono::sys_seconds now);
// Judges an app token that was exchanged for the org token, since no valid one was stored.
CheckResult judge_earned_token(const TokenClaims& earned, std::chrono::sys_seconds now);
// Judges that the application needs a login.
CheckResult judge_missing_token(const Url& url, const StoredTokens& tokens,
                                std::chrono::sys_seconds now);

}  // namespace mayfly::cli::doctor
