// What was found of the application, and of what opens it.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "access/core/url.hpp"
#include "access/curl/http.hpp"
#include "access/identity/application.hpp"
#include "access/jwt/jwt.hpp"
#include "access/tls/handshake.hpp"
#include "cli/doctor/finding.hpp"

namespace mayfly::cli::doctor {

// answer: to the question for the application.
Finding judge_application(const Url& url, const std::optional<Application>& application,
                          const Response& answer);

// A client certificate that was loaded, and what came of showing it. request: what the edge asked
// in the handshake.
enum class CertificateUse { not_shown, accepted, accepted_before_login };
struct CertificateShown {
  CertificateFacts facts;
  CertificateRequest request;
  CertificateUse use = CertificateUse::not_shown;
};
Finding judge_client_certificate(const CertificateShown& shown, std::chrono::sys_seconds now);
// None was given.
Finding judge_no_client_certificate(const CertificateRequest& request);

// A service token that was accepted. earned: the token that came for it.
Finding judge_service_token(const std::string& id, const std::optional<TokenClaims>& earned,
                            std::chrono::sys_seconds now);

// The tokens in the state directory, whatever state they are in.
struct StoredTokens {
  std::optional<TokenClaims> application;
  std::optional<TokenClaims> team;
};
Finding judge_stored_token(const StoredTokens& tokens, std::chrono::sys_seconds now);
// There was none that counts; the team's has earned this one.
Finding judge_earned_token(const TokenClaims& earned, std::chrono::sys_seconds now);
// Nothing opens the application without a person.
Finding judge_missing_token(const Url& url, const StoredTokens& tokens,
                            std::chrono::sys_seconds now);

}  // namespace mayfly::cli::doctor
