// Managed OAuth: an authorization server in front of an application (RFC 6749, 7591, 7636, 8414).
#pragma once

#include "visit.hpp"

namespace edge {

inline constexpr const char* oauth_path = "/cdn-cgi/access/oauth/";
inline constexpr const char* consent_path = "/cdn-cgi/access/oauth/consent";

// Answers the documents below /.well-known/ of an application's host and of a team domain. Returns
// nullopt if the path names no document.
std::optional<Answer> route_well_known(Visit& visit);

// Answers every path below `oauth_path`, at the team domain and at the host of an application that
// is its own issuer.
Answer route_oauth(Visit& visit, const std::string& team);

// For browsers: the authorization endpoint, and the page that asks the person.
Answer authorize_client(Visit& visit, const std::string& team);
Answer ask_consent(Visit& visit, const std::string& team);
Answer take_consent(Visit& visit, const std::string& team);
// For programs.
Answer register_client(Visit& visit, const std::string& team);
Answer give_tokens(Visit& visit);
Answer revoke_token(Visit& visit);

// An error as JSON (RFC 6749 section 5.2), never cached.
Answer oauth_error(int status, const std::string& error, const std::string& description);

// Returns the application with Managed OAuth that a resource names (RFC 8707), or null.
ApplicationPointer find_resource(const Config& config, const std::string& team,
                                 const std::string& resource);

// Returns whether a parameter comes more than once, which RFC 6749 section 3.1 forbids.
bool has_duplicates(std::string_view form);

// Returns the parameters of a POST whose body is a form. Returns nullopt for another request, and
// if a parameter comes more than once.
std::optional<std::map<std::string, std::string>> read_form(const Request& request);

// Returns whether a client may register this redirect URI.
bool may_register(const ManagedOauth& oauth, const std::string& redirect_uri);
// Returns whether the two are equal, apart from the port of a loopback address (RFC 8252 section
// 7.3).
bool same_redirect(const std::string& registered, const std::string& asked);

}  // namespace edge
