// Reads and writes curl's configuration files (curl(1), --config).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/curl/curl_arguments.hpp"

namespace mayfly::cli {

// Returns the path of the file that curl reads by default (curl(1), "CONFIG FILE"), or nullopt if
// no such file is readable.
std::optional<std::string> default_curl_configuration();

// Returns whether -q or --disable is the first argument; curl ignores it elsewhere.
bool ignores_configuration(const CurlArguments& curl);

// Reads a whole file for curl, of at most 1 MiB; "-" is standard input. Throws usage Error if it
// cannot be read or is larger.
std::string read_for_curl(const std::string& path);

// An option of a configuration as arguments of curl: {"--output", "file"}.
using ConfigurationLine = std::vector<std::string>;

// Returns the options in a configuration, read as curl reads them.
std::vector<ConfigurationLine> parse_curl_configuration(std::string_view text);

// Returns a configuration with these options. Each value is quoted, so that every curl reads the
// same value in it.
std::string render_curl_configuration(const std::vector<ConfigurationLine>& lines);

}  // namespace mayfly::cli
