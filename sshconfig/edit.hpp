// The texts of ~/.ssh/config and of our own file beside it, and what is put into and taken out of
// them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mayfly::sshconfig {

// Our own file: a head line, then blocks between "# mayfly: begin HOST" and "# mayfly: end HOST".
// Whatever else a person writes into it stays. All throw Error(failed) when a begin has no end.

// The block for host added or replaced. Wildcards stay behind single hosts: ssh takes the first
// value it finds.
std::string with_block(std::string_view own_file, std::string_view host, std::string_view block);
// The text as it is when it has no such block.
std::string without_block(std::string_view own_file, std::string_view host);
std::vector<std::string> hosts_with_blocks(std::string_view own_file);

// Whether ~/.ssh/config was made by us, which its removal needs to know, is noted in our own file.
std::string with_made_note(std::string_view own_file);
bool has_made_note(std::string_view own_file);
// Nothing is left in it but what we write at its head.
bool is_bare(std::string_view own_file);

// "Include <path>". Throws Error(failed) for a path that Include would take for a pattern.
std::string include_line(std::string_view own_file_path);
// ~/.ssh/config with our Include as its first line (a later one would belong to a Host or Match);
// everything else byte for byte as it was. The text as it is when the line is there already.
std::string with_include(std::string_view config, std::string_view own_file_path);
std::string without_include(std::string_view config, std::string_view own_file_path);

}  // namespace mayfly::sshconfig
