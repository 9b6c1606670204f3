// Text from outside that is made safe to print, and small functions on strings.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly {

// Returns the text as one line: control characters (C0, DEL, C1), line separators, marks that turn
// the direction of text, and invalid UTF-8 become \xNN. Cuts a result that would be longer than
// max_bytes between two characters, and adds "...".
std::string printable(std::string_view bytes, std::size_t max_bytes = 200);

std::string to_lower(std::string_view ascii);
bool equals_ignoring_case(std::string_view a, std::string_view b);
bool is_among(std::string_view text, std::initializer_list<std::string_view> list);
bool is_among_ignoring_case(std::string_view text, std::initializer_list<std::string_view> list);
// Returns the text without the blanks at both ends.
std::string_view trim(std::string_view text, std::string_view blanks = " \t");
// Returns the text as one word of a POSIX shell, in single quotes where it needs them: for commands
// that people paste.
std::string pasted_word(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);

// Returns whether the text is an RFC 1123 host name of at most 253 bytes, in labels of at most 63,
// or an IPv4 address. A name whose last label is a number has to be an address. Underscores are
// accepted, since names in use have them.
bool is_host_name(std::string_view text);

}  // namespace mayfly
