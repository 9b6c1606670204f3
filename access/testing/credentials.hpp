// An edge with one application and a person in front of it, for credentials to deal with.
#pragma once

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "access/identity/credentials.hpp"
#include "access/testing/access.hpp"
#include "access/testing/tokens.hpp"

namespace mayfly::credentials_test {

using namespace mayfly::test;
using namespace std::chrono_literals;

inline constexpr auto kApp = "https://vm.example.com";
inline constexpr auto kCerts = "https://team.cloudflareaccess.com/cdn-cgi/access/certs";
inline constexpr auto kLogin =
    "https://team.cloudflareaccess.com/cdn-cgi/access/login/vm.example.com";
inline constexpr auto kAuthorized = "https://vm.example.com/cdn-cgi/access/authorized";
inline constexpr auto kOrgFile = "team.cloudflareaccess.com-org-token";
inline constexpr auto kFuture = "; Expires=Thu, 01 Jan 2099 00:00:00 GMT";
inline const std::string kFile = std::string(kHost) + "-" + std::string(kAudience) + "-token";
inline const std::string kServiceId = "88bf3b6d86161464f6509f7219099e57.access";

// An edge with one application, and a person in front of it.
struct World {
  TemporaryState state;
  ScriptedSend edge;
  std::chrono::sys_seconds now = system_now();
  CredentialOptions options;
  LoginPrompt prompt;
  std::vector<std::string> shown;
  std::string app_token = token("browser");
  std::string org_token = team_key().sign(org_claims(now));
  // What the application answers to anything but the metadata question.
  ScriptedSend::Answer application = [](const Request&) { return redirect(kLogin); };

  World() {
    options.transfer.pause = 1ms;
    options.machine_patience = 0ms;
    edge.on(kApp, [this](const Request& request) {
      if (request_header(request, "CF-Access-Metadata-Request").empty())
        return application(request);
      return answer(200, {{"CF-Access-Metadata", team_key().sign(metadata_claims(now))}});
    });
    edge.on(kCerts, answer(200, {}, key_set({team_key().jwk()})));
    edge.on(kLogin, answer(200, {}, "log in"));
    prompt.show = [this](const std::string& url) {
      shown.push_back(url);
      log_in(url);
    };
  }

  std::string token(std::string_view subject) const {
    return team_key().sign(app_claims(now).text("sub", subject));
  }
  std::string service_token(std::string_view common_name) const {
    return team_key().sign(app_claims(now).without("email").text("common_name", common_name));
  }
  void store(const std::string& name, const std::string& content) {
    state.directory().write(name, content);
  }
  // The person logs in: the transfer service seals both tokens for the key in the URL.
  void log_in(const std::string& page) {
    const std::string key = query_value(parse_url(page).query, "token");
    edge.on(
        "https://login.cloudflareaccess.org/transfer/" + key,
        sealed_answer(fmt::format(R"({{"app_token":"{}","org_token":"{}"}})", app_token, org_token),
                      key));
  }
  // The team's login page takes org tokens and grants this one.
  void grant_exchange(const std::string& granted) {
    edge.on(kLogin, redirect(kAuthorized));
    edge.on(kAuthorized, answer(302, {{"Set-Cookie", "CF_Authorization=" + granted + kFuture}}));
  }
  void use_service_token() {
    options.service_token = ServiceToken{kServiceId, Secret(std::string("hush"))};
  }
  void use_certificate() {
    options.client_certificate = CredentialOptions::ClientCertificate::present;
  }
  void forbid_login() { options.login = CredentialOptions::Login::never; }

  Credentials credentials() { return {state.directory(), edge.send(), prompt, options}; }
  Grant obtain() { return credentials().obtain(test_url()); }
  Grant earn() { return credentials().earn_token(test_url()); }
  Error refusal() {
    return error_of([&] { obtain(); });
  }
  bool no_locks_left() const {
    const auto names = state.names();
    return std::none_of(names.begin(), names.end(), [](const std::string& name) {
      return name.ends_with(".lock") || name.ends_with(".url");
    });
  }
};

inline std::string jwt_of(const Grant& grant) {
  return grant.token ? std::string(grant.token->jwt.reveal()) : "";
}

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace mayfly::credentials_test
