// Asks the person at the terminal for a password.
#pragma once

#include <string>

#include "access/core/secret.hpp"

namespace mayfly::cli {

// Shows "What: " on /dev/tty and reads a line without echo. Throws Error(login_needed) if there is
// no terminal, or at an interrupt.
Secret ask_password(const std::string& what);

}  // namespace mayfly::cli
