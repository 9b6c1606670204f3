// Follows redirects with a credential by running curl once for each address. An application can
// redirect curl to a page of Access that hands out tokens, so mayfly checks each address first.
#pragma once

#include <optional>
#include <string>

#include "access/core/url.hpp"
#include "access/identity/application.hpp"
#include "cli/curl/curl_arguments.hpp"
#include "cli/curl/curl_guard.hpp"

namespace mayfly::cli {

inline constexpr int most_redirects = 50;  // as curl(1), --max-redirs

// Returns the position of the URL in curl.arguments if a run of curl for each address does the same
// as one run that follows redirects: a GET or HEAD for one plain URL, and options alone that mean
// the same for each request. Otherwise returns nullopt.
std::optional<std::size_t> position_of_followed_url(const CurlArguments& curl,
                                                    const GuardedCurl& guarded);

// Returns whether curl may ask for this address, to which the application redirects it, with the
// credential of the application at `url`: the origin is the same, the path belongs to the same
// application, and it is none of Access.
bool may_follow(const Url& url, const Application& application, const Url& next);

// Returns the command line with another URL at this position.
CurlArguments with_url(CurlArguments curl, std::size_t position, const Url& url);

}  // namespace mayfly::cli
