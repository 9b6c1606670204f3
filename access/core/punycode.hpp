// Punycode (RFC 3492): labels of host names that are not ASCII, as the domain name system has them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mayfly {

// Returns the host with each label that is not ASCII in its "xn--" form, without any check of
// IDNA: registries have sold names with emoji, which IDNA 2008 does not allow. Variation selectors
// (U+FE0F) are left out, as UTS #46 maps them to nothing. Returns nullopt for invalid UTF-8.
std::optional<std::string> xn_form(std::string_view utf8_host);

}  // namespace mayfly
