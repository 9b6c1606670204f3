// A header field of an HTTP message.
#pragma once

#include <string>
#include <utility>

namespace mayfly {

using Header = std::pair<std::string, std::string>;  // its name and its value

// Returns "Name: value". Throws Error(usage) for a name that is no token (RFC 9110 section 5.6.2)
// and for a value with CR, LF or NUL, which could begin another header.
std::string header_line(const Header& header);

}  // namespace mayfly
