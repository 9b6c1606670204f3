// pkcs11: URIs (RFC 7512) as text: what is on a PKCS#11 token, and by which module to reach it.
#pragma once

#include <string>
#include <string_view>

namespace mayfly {

// Separates the attributes of a query, and nothing else does (RFC 7512 section 2.3).
constexpr char query_attribute_separator = '&';

bool is_token_uri(std::string_view text);

// Without its query and any attribute pin-value: fit to be shown.
std::string shown_uri(std::string_view uri);

// The attribute module-path, percent-decoded; "" when there is none.
std::string module_of(std::string_view uri);

// The attribute pin-value, of the query or before it, percent-decoded; "" when there is none.
std::string pin_of(std::string_view uri);

// The path of the file that the attribute pin-source names, in a file: URI or as it is; "" when it
// names none.
std::string pin_file_of(std::string_view uri);

// Without the query's attributes but those of the PIN: OpenSSL's engine takes a URI with one that
// it does not know for no URI at all.
std::string without_module(std::string_view uri);

// Without the attribute pin-value, wherever it is.
std::string without_pin(std::string_view uri);

}  // namespace mayfly
