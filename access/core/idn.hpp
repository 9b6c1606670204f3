// Internationalised host names (IDNA 2008, RFC 5890), by libidn2, which is loaded on first use.
#pragma once

#include <string>
#include <string_view>

namespace mayfly {

// Converts "bücher.example" to "xn--bcher-kva.example". Returns ASCII unchanged. Throws usage
// Error.
std::string host_to_ascii(std::string_view utf8_host);

}  // namespace mayfly
