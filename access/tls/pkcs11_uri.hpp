// PKCS#11 token URIs as text (RFC 7512): they name an object on a PKCS#11 token, and the module
// that reaches it.
#pragma once

#include <string>
#include <string_view>

namespace mayfly {

// Only this separates the attributes of a query (RFC 7512 section 2.3).
constexpr char query_attribute_separator = '&';

bool is_pkcs11_uri(std::string_view text);

// Returns the URI without its query and without a PIN: fit to be shown.
std::string shown_uri(std::string_view uri);

// Returns the percent-decoded attribute module-path, or "" if it is absent.
std::string module_of(std::string_view uri);

// Returns the percent-decoded attribute pin-value, in the query or before it, or "" if it is
// absent.
std::string pin_of(std::string_view uri);

// Returns the path of the file that the attribute pin-source names, or "" if it names no file.
std::string pin_file_of(std::string_view uri);

// Returns the URI with only the query attributes of the PIN: OpenSSL's engine rejects a URI with an
// attribute that it does not know.
std::string without_module(std::string_view uri);

// Returns the URI without the attribute pin-value, in the query and before it.
std::string without_pin(std::string_view uri);

}  // namespace mayfly
