// Text that came from outside, made fit to be shown; and plain string questions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mayfly {

// One line of at most max_bytes: control characters (C0, DEL, C1) and invalid UTF-8 are shown as
// \xNN, a longer text is cut and ends with "...".
std::string printable(std::string_view bytes, std::size_t max_bytes = 200);

std::string to_lower(std::string_view ascii);
bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text);  // spaces and tabs at both ends
std::vector<std::string_view> split(std::string_view text, char separator);

// RFC 1123 host name of at most 253 bytes in labels of at most 63, or an IPv4 address. Underscores
// are accepted inside labels since names in use have them.
bool is_host_name(std::string_view text);

}  // namespace mayfly
