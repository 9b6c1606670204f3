// The part of a state file's name that identifies the application: host[-path] at port 443, and
// host:port[-path] at another port, where another server may be. (Only an IPv6 address has a colon
// of its own, and it has brackets before a port.)
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/identity/application.hpp"

namespace mayfly {

// Returns the place of a URL, without a "/" at its end. Throws Error(usage) if it makes no file
// name.
std::string place_of(const Url& url);

// Returns the place of its SSH key as cloudflared names it: without the port, and with a "/" at the
// end of a path, but not "/" alone, since the blocks for ssh name the host. Throws Error(usage) if
// it makes no file name.
std::string key_place_of(const Url& url);

// Returns the places of the records that may serve a URL, the most specific first: its own, those
// of its parent paths, and at the end that of the host alone.
std::vector<std::string> places_above(const Url& url);

// Returns the place of the application to which the URL belongs: that of its own path, so that it
// has one record and not one for each page. If a "*" in its path leaves that open, the URL's.
std::string place_of(const Application& application, const Url& url);

// Returns the places by which a logout names an application; all places above the URL while the
// application is not known.
std::vector<std::string> places_of(const Url& url, const std::optional<Application>& application);

// Returns whether the application in the record at `place` is that of this URL.
bool is_at(const Application& application, const std::string& place, const Url& url);

}  // namespace mayfly
