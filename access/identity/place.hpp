// Places: the part of a file's name that says where an application is, host[-path] at port 443, and
// host:port[-path] at another, since another server may be there. (No host has a colon but an IPv6
// address, which has brackets before a port.)
#pragma once

#include <string>
#include <vector>

#include "access/identity/application.hpp"

namespace mayfly {

// Of a URL; "/" at its end tells nothing. Throws usage Error when it makes no file name.
std::string place_of(const Url& url);

// Of its SSH key: as cloudflared names it, which leaves out the port and keeps a "/" at the end of
// a path; "/" alone is no path, since the blocks for ssh name the host. Throws usage Error when it
// makes no file name.
std::string key_place_of(const Url& url);

// Of what may be remembered for a URL, the most special first: the URL's own, then those of its
// parent paths, and at the end that of the host alone.
std::vector<std::string> places_above(const Url& url);

// Of the application that a URL was found to belong to: its own path, so that it is remembered once
// and not for each page of it. The URL's where a "*" in the path leaves open what belongs to it.
std::string place_of(const Application& application, const Url& url);

// Whether an application remembered at `place` is the one of this URL.
bool is_at(const Application& application, const std::string& place, const Url& url);

}  // namespace mayfly
