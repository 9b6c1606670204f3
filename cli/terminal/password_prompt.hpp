// Where the password of a client certificate comes from: a file, or the person at the terminal.
#pragma once

#include <functional>
#include <string>

#include "access/core/secret.hpp"
#include "cli/flags/network_flags.hpp"

namespace mayfly::cli {

using AskPassword = std::function<Secret(const std::string& what)>;

// For ClientCertificateFiles::password. Throws Error(login_needed) with --batch and without a
// terminal.
AskPassword certificate_password(const NetworkFlags& flags);

}  // namespace mayfly::cli
