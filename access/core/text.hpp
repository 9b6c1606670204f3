// Text that came from outside, made fit to be shown; and plain string questions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mayfly {

// One line: control characters (C0, DEL, C1), line separators, marks that turn the direction of
// text and invalid UTF-8 are shown as \xNN. What is longer than max_bytes is cut there, between
// characters, and "..." is added.
std::string printable(std::string_view bytes, std::size_t max_bytes = 200);

std::string to_lower(std::string_view ascii);
bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text);  // spaces and tabs at both ends
std::vector<std::string_view> split(std::string_view text, char separator);

// RFC 1123 host name of at most 253 bytes in labels of at most 63, or an IPv4 address; a name whose
// last label is a number is only taken as an address. Underscores are accepted since names in use
// have them.
bool is_host_name(std::string_view text);

}  // namespace mayfly
