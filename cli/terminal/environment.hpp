// The environment of the process: variables, directories, and the path of the program.
#pragma once

#include <string>
#include <vector>

namespace mayfly::cli {

// Returns "" if the variable is not set.
std::string variable(const char* name);
// Overwrites the variable's value and removes it, from this process and its children.
void forget_variable(const char* name) noexcept;

// Returns $HOME, or the home directory of the password database. Throws Error(failed).
std::string home_directory();
// Returns the home directory of the account by the password database, which ssh uses, or "".
std::string home_of_account();

// Returns the absolute path of MAYFLY_HOME, or else ~/.cloudflared.
std::string state_directory_path();

// Returns the entries of MAYFLY_CONNECT_TO, "HOST:PORT:HOST2:PORT2" as curl's. Throws usage Error.
std::vector<std::string> connect_to_from_environment();

// Returns the first other program of that name in PATH, /usr/local/bin and /usr/bin, or "".
std::string other_program(const std::string& name);

// Main calls it with argv[0].
void set_program_name(std::string argv0);
// Returns an absolute path that starts this program again under the name that started it: a
// symbolic link called cloudflared stays that link.
std::string program_path();

// Replaces "mayfly" in the commands of a text ("run: mayfly login URL") by cloudflared, if the
// program was started by that name.
std::string as_called(std::string text);

std::string absolute_path(const std::string& path);

}  // namespace mayfly::cli
