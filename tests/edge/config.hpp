// What the edge serves: the configuration, its defaults and how a request finds its application.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faults.hpp"
#include "message.hpp"

namespace edge {

enum class Policy { identity, service, certificate, certificate_identity, bypass, none };
enum class OriginKind { page, tcp, echo, discard, source, http, bastion, script };
enum class Refusal { forbidden, login };
enum class CertificateUse { first, always };

struct Origin {
  OriginKind kind = OriginKind::page;
  std::string text = "page";  // as configured
  std::string host;
  std::uint16_t port = 0;
  std::uint64_t bytes = 0;
};

enum class ServiceTokenUse { first, always };
enum class RefusalMark { challenge, aud, none };
enum class OauthIssuer { team, host };

struct ServiceToken {
  std::string id;
  std::string secret;           // "" in an application: the team's token of that id is meant
  std::string previous_secret;  // "": none
  long previous_until = 0;      // when the previous secret ends, seconds since the epoch
  bool enabled = true;
  std::optional<long> expires_at;  // seconds since the epoch
};

// The settings that an organisation (a team) makes for all its applications.
struct TeamSettings {
  bool strict = false;
  std::vector<ServiceToken> service_tokens;
};

// A person as the identity provider describes them, each a JSON text.
struct Person {
  std::string name;
  std::string groups = "[]";
  std::string idp = R"({"id":"00000000-0000-4000-8000-000000000001","type":"onetimepin"})";
  std::string device_posture = "{}";
};

struct ManagedOauth {
  bool enabled = false;
  long access_token_lifetime = 900;     // seconds
  long session_duration = 14L * 86400;  // seconds that refresh tokens work after the login
  long code_lifetime = 60;              // seconds
  bool loopback = true;                 // clients may redirect to 127.0.0.1 and [::1]
  bool localhost = true;                // clients may redirect to localhost
  std::vector<std::string> allowed_uris;
  bool websocket = true;  // upgrades accept the access token
  OauthIssuer issuer = OauthIssuer::team;
  bool iss = false;    // RFC 9207: the answer names the issuer
  bool alone = false;  // the login of cloudflared is not offered
};

// An answer of the origin itself.
struct OwnAnswer {
  int status = 200;
  std::vector<Field> headers;
  std::string body;
};

struct SigningOptions {
  long validity = 240;  // seconds
  std::vector<std::string> principals;
  std::vector<std::string> service_principals;
  bool any_key_type = false;
};

struct WebsocketOptions {
  double ping_interval = 0;  // seconds; 0: never
  std::size_t buffer = 65536;
  bool text = false;
  std::uint16_t close_code = 1000;
  std::string close_reason;
};

struct Application {
  std::string name;
  std::string hostname;  // as configured
  std::string host;      // without the path
  std::string path;      // "" or "/path"
  std::string team;
  std::string aud;
  Origin origin;
  std::map<std::string, std::string> hosts;  // names that a bastion knows, and their addresses
  std::string script;                        // JSON text
  Policy policy = Policy::identity;
  std::string email;
  std::vector<std::string> allow;
  long token_lifetime = 3600;
  std::optional<long> session;  // none: No Duration
  std::vector<ServiceToken> service_tokens;
  Refusal service_refusal = Refusal::login;
  std::optional<bool> strict;  // none: as the team
  ServiceTokenUse service_token_use = ServiceTokenUse::first;
  RefusalMark strict_401 = RefusalMark::challenge;
  bool challenges_programs = false;  // 401 Cloudflare-Access in place of the redirect
  std::string service_token_header;  // "": the pair of headers alone
  ManagedOauth oauth;
  std::map<std::string, OwnAnswer> own_answers;  // by path, or by its beginning and "*"
  std::string client_ca;
  std::vector<std::string> common_names;
  CertificateUse certificate_use = CertificateUse::first;
  bool binding_cookie = false;
  bool cookie_always = false;
  bool app_hostname = true;
  SigningOptions certificate;
  WebsocketOptions websocket;
  FaultSet faults;  // as configured; what is left of them is on the FaultBoard

  std::string team_domain() const { return team + ".cloudflareaccess.com"; }
  bool needs_certificate() const {
    return policy == Policy::certificate || policy == Policy::certificate_identity;
  }
};

using ApplicationPointer = std::shared_ptr<const Application>;

struct Config {
  std::string team = "acme";
  std::map<std::string, ApplicationPointer> applications;
  FaultSet faults;
  double poll_seconds = 60;
  long org_token_lifetime = 86400;
  std::string login_email = "alice@example.com";
  bool auto_login = false;
  long clock_skew = 0;
  long date_skew = 0;
  bool tls12 = true;
  bool tls13 = true;
  bool tickets = true;
  std::string client_ca;  // of hosts that have none of their own
  bool log = true;
  std::map<std::string, TeamSettings> teams;
  std::map<std::string, Person> people;  // by email
  long logout_seconds = 0;               // how long a session lives on after its logout

  // The most specific application at this place, or null.
  ApplicationPointer find(std::string_view host, std::string_view path) const;
  // Any application on that host, whatever the path; the one with a client CA first.
  ApplicationPointer find_host(std::string_view host) const;
  ApplicationPointer find_audience(std::string_view aud) const;
  bool has_team(std::string_view team) const;
  bool is_strict(const Application& application) const;
};

// Strict: throws std::runtime_error that names the key.
Config parse_config(const nlohmann::json& given);
// Everything, defaults filled in; faults as configured.
nlohmann::json describe(const Config& config);

inline constexpr std::string_view team_suffix = ".cloudflareaccess.com";

}  // namespace edge
