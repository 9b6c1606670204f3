// The registration and the tokens of Managed OAuth on disk (mayfly(1), FILES).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "access/core/secret.hpp"
#include "access/core/url.hpp"
#include "access/identity/application.hpp"
#include "access/identity/oauth.hpp"
#include "access/system/files.hpp"

namespace mayfly {

// The permission that a person has given at an application. It belongs to one host and port,
// application and team, and goes nowhere else.
struct OauthGrant {
  std::string origin;  // "https://wiki.example.com"
  Application application;
  std::string client, resource;
  Url token;                      // the endpoint
  std::optional<Url> revocation;  // the endpoint
  OauthTokens tokens;
};

// Returns "<place>-oauth-grant" for the application at the URL.
std::string oauth_grant_file(const Url& url, const Application& application);

// Returns the stored grant, also if its access token has expired. Returns nullopt if there is none
// for this host, port, application and team, or if an endpoint in it is none of theirs.
std::optional<OauthGrant> load_oauth_grant(const StateDirectory& state, const Url& url,
                                           const Application& application);
// Reads the file of a grant for a logout, whose application may not be known. Returns nullopt if it
// is no such file, or if an endpoint in it is not of the application that it names.
std::optional<OauthGrant> read_oauth_grant(const StateDirectory& state, std::string_view file);
void save_oauth_grant(const StateDirectory& state, const OauthGrant& grant);
// Removes the grant if it still has this refresh token: another process may have renewed it.
void remove_oauth_grant(const StateDirectory& state, const OauthGrant& grant);

// The client that mayfly has registered for an application, at the server with this issuer.
std::optional<std::string> load_oauth_client(const StateDirectory& state, const Url& url,
                                             const Application& application,
                                             std::string_view issuer);
void save_oauth_client(const StateDirectory& state, const Url& url, const Application& application,
                       std::string_view issuer, std::string_view client);
void remove_oauth_client(const StateDirectory& state, const Url& url,
                         const Application& application);

}  // namespace mayfly
