// The "%" tokens in values of ssh_config(5) and sshd_config(5), TOKENS.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace mayfly::sshconfig {

// Returns the text with each "%x" replaced by the value for x, and "%%" by "%". A token without a
// value stays as it is written.
std::string with_tokens(std::string_view text, const std::map<char, std::string>& values);

}  // namespace mayfly::sshconfig
