// What the process was started with: variables, home, its own path.
#pragma once

#include <string>
#include <vector>

namespace mayfly::cli {

// "" when it is not set.
std::string variable(const char* name);
// Overwrites its value and takes it out: no child gets it, and nobody finds it in this process.
void forget_variable(const char* name) noexcept;

// $HOME, or the password database's when it is empty. Throws Error(failed).
std::string home_directory();
// Returns the home directory of the account by the password database, which ssh uses; "" if
// unknown.
std::string home_of_account();

// MAYFLY_HOME made absolute, else ~/.cloudflared.
std::string state_directory_path();

// MAYFLY_CONNECT_TO, "HOST:PORT:HOST2:PORT2" each, as curl's. Throws usage Error for what is none.
std::vector<std::string> connect_to_from_environment();

// Absolute path to start this program again, by the name it was started with: a symbolic link
// called cloudflared stays that link. argv0 is remembered by set_program_name, called in main.
void set_program_name(std::string argv0);
std::string program_path();

// The commands in a text ("run: mayfly login URL") by the name that this program was started by,
// when that is cloudflared.
std::string as_called(std::string text);

std::string absolute_path(const std::string& path);

}  // namespace mayfly::cli
