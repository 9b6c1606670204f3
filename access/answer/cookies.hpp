// The names of the cookies that Access sets (docs/protocol.md section 2).
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "access/core/text.hpp"

namespace mayfly {

inline constexpr const char* authorization_cookie = "CF_Authorization";  // an app or org token
inline constexpr const char* session_cookie = "CF_AppSession";
inline constexpr auto cookies_of_access = std::to_array<std::string_view>(
    {authorization_cookie, session_cookie, "CF_Session", "CF_Binding"});

// Names are compared in any case: some servers do so, too.
inline bool is_cookie_of_access(std::string_view name) {
  return std::ranges::any_of(cookies_of_access, [&](std::string_view cookie) {
    return equals_ignoring_case(cookie, name);
  });
}

}  // namespace mayfly
