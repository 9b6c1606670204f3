// The address of an application in a message, and the listener's address in its place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/core/url.hpp"

namespace mayfly {

// The two names of one site: as the local programs see it, and what it is.
struct SitePair {
  std::string local;  // authority of "http://", the Host of the request
  Url application;
};

// The beginning of a URL up to its authority, and what replaces it.
struct Replacement {
  std::string from, to;  // from: in lower case
};
// Returns each beginning that means the application, for http and WebSocket.
std::vector<Replacement> replacements(const SitePair& site);

// Returns the rest of the URL after `authority`, or nullopt if its authority is another one, which
// may begin with the same text.
std::optional<std::string_view> after_authority(std::string_view url, std::string_view authority);

// Returns a URL of the application as one of the listener; others as they are.
std::string local_url(std::string_view url, const SitePair& site);
// The other way.
std::string application_url(std::string_view url, const SitePair& site);

// Each returns the value of one header with the URLs of the application as those of the listener.
std::string local_link(std::string_view value, const SitePair& site);     // RFC 8288 section 3
std::string local_refresh(std::string_view value, const SitePair& site);  // HTML, section 7.5
// WWW-Authenticate. Changes the parameters of Bearer alone: the realm of another scheme is part of
// what the client computes (RFC 7616) or finds a password by.
std::string local_challenges(std::string_view value, const SitePair& site);

}  // namespace mayfly
