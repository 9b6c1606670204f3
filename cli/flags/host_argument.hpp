// The application that a command is for: --hostname, its variable, or the first positional
// argument.
#pragma once

#include <string>
#include <vector>

#include "access/core/url.hpp"
#include "cli/flags/arguments.hpp"

namespace mayfly::cli {

// The help says what the flag is for. The flag may be given once.
void bind_hostname(Parser& parser, std::string& hostname, const char* help);
// The host alone, of a command that takes no other positional argument.
void bind_host_argument(Parser& parser, std::string& host);
// The host, and listener addresses.
void bind_host_and_listeners(Parser& parser, std::vector<std::string>& arguments);

// Sets the hostname to the positional argument, if there is one; it comes before the variable.
// Throws usage Error if --hostname has named a host already.
void take_host(std::string& hostname, const std::string& argument);

// Sets the hostname to the first of the arguments that is not unmistakably the address of a
// listener, unless --hostname has named one. Appends the other arguments to the listeners.
void take_host_and_listeners(std::string& hostname, const std::vector<std::string>& arguments,
                             std::vector<std::string>& listeners);

// The pattern of the wildcard block for ssh that runs the command.
void bind_matching(Parser& parser, std::string& pattern);
// Returns the application's URL. Throws usage Error if a pattern is given, such as *.example.com or
// *.example.com/path, and the URL has another host, port, path or a query.
Url application_url(const std::string& hostname, const std::string& pattern);

// Throws usage Error if the hostname is empty.
void require_hostname(const std::string& hostname, const Invocation& invocation);

}  // namespace mayfly::cli
