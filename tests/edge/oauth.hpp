// Managed OAuth: an authorization server in front of an application (RFC 6749, 7591, 7636, 8414).
#pragma once

#include "visit.hpp"

namespace edge {

inline constexpr const char* oauth_path = "/cdn-cgi/access/oauth/";
inline constexpr const char* consent_path = "/cdn-cgi/access/oauth/consent";

// The documents below /.well-known/ of an application's host and of a team domain; nullopt: there
// is none at this path.
std::optional<Answer> route_well_known(Visit& visit);

// Every path below `oauth_path` at the team domain, and at an application's host that is its own
// issuer: registration, authorization, consent, tokens, revocation.
Answer route_oauth(Visit& visit, const std::string& team);

// The parts of it. In a browser: the authorization endpoint, and the page that asks the person.
Answer authorize_client(Visit& visit, const std::string& team);
Answer ask_consent(Visit& visit, const std::string& team);
Answer take_consent(Visit& visit, const std::string& team);
// From a program.
Answer register_client(Visit& visit, const std::string& team);
Answer give_tokens(Visit& visit);
Answer revoke_token(Visit& visit);

// An error as JSON (RFC 6749 section 5.2), never cached.
Answer oauth_error(int status, const std::string& error, const std::string& description);

// A resource that was asked for (RFC 8707), when it is an application with Managed OAuth.
ApplicationPointer find_resource(const Config& config, const std::string& team,
                                 const std::string& resource);

// Whether parameters come more than once (RFC 6749 section 3.1 forbids it).
bool has_duplicates(std::string_view form);

// The parameters of a POST whose body is a form; nullopt: it is none, or says something twice.
std::optional<std::map<std::string, std::string>> read_form(const Request& request);

// Where a client may be sent back to.
bool may_register(const ManagedOauth& oauth, const std::string& redirect_uri);
// Equal, but for the port of a loopback address (RFC 8252 section 7.3).
bool same_redirect(const std::string& registered, const std::string& asked);

}  // namespace edge
