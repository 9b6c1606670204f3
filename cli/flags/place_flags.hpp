// The flags of commands that pass something on: to which application, from which local addresses,
// with which headers.
#pragma once

#include <string>
#include <vector>

namespace mayfly::cli {

class Parser;

// help: what the flag is for, as --help-all says it.
void bind_hostname(Parser& parser, std::string& hostname, const char* help);
void bind_listeners(Parser& parser, std::vector<std::string>& places, const char* help);
void bind_headers(Parser& parser, std::vector<std::string>& headers, const char* help);

}  // namespace mayfly::cli
