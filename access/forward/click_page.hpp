// The page with one link, by which a person goes on to a page of the application that another site
// has opened.
#pragma once

#include <string>
#include <string_view>

namespace mayfly {

// The page's Content-Security-Policy: it loads and runs nothing, sends no form, and no page shows
// it in a frame. In its sandbox it has an origin of its own: the application sees the request of
// the link as one of another site, which it is, and may refuse it.
inline constexpr std::string_view click_page_policy =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";

// Returns the address by which a page of this listener links to a path, with its query: relative,
// and of no other host, however the path begins. Returns "" for a path that no browser sends.
std::string link_to(std::string_view path);

// Returns the page in HTML. `link` comes from link_to().
std::string click_page_body(std::string_view message, std::string_view link);

}  // namespace mayfly
