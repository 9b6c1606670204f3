// Edits the texts of ~/.ssh/config and of mayfly_config, our own file beside it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mayfly::sshconfig {

// Our own file has a head line and then blocks between "# mayfly: begin HOST" and "# mayfly: end
// HOST". Lines that a person adds stay. All functions throw Error(failed) if a begin has no end.

// Returns the text with the block for `host` added or replaced. Blocks of wildcards stay behind
// those of single hosts, since ssh takes the first value that it finds.
std::string with_block(std::string_view own_file, std::string_view host, std::string_view block);
// Returns the text without the block for `host`; unchanged if there is none.
std::string without_block(std::string_view own_file, std::string_view host);
std::vector<std::string> hosts_with_blocks(std::string_view own_file);

// The note in our own file that ~/.ssh/config did not exist before, so that a removal may remove
// it.
std::string with_made_note(std::string_view own_file);
bool has_made_note(std::string_view own_file);
// Returns whether our own file holds nothing but its head.
bool is_bare(std::string_view own_file);

// Returns "Include <path>". Throws Error(failed) for a path that ssh would read as a pattern.
std::string include_line(std::string_view own_file_path);
// Returns ~/.ssh/config with our Include as its first line, since a later line would belong to a
// Host or Match, and all other bytes as they were. Returns it unchanged if the line is there
// already.
std::string with_include(std::string_view config, std::string_view own_file_path);
std::string without_include(std::string_view config, std::string_view own_file_path);

}  // namespace mayfly::sshconfig
