// The checks of doctor --server: whether sshd on this machine would let a certificate in.
#pragma once

#include <string>
#include <vector>

#include "cli/doctor/check.hpp"

namespace mayfly::cli::doctor {

struct ServerTarget {
  std::string config;  // sshd_config; an absolute path
  std::string user;    // the Unix user; ""
  std::string email;   // the person; ""
};

// Fills in the user of a target that names a person alone: the person's principal. Throws
// Error(usage) for a text that is no email address.
ServerTarget with_default_user(ServerTarget target);

std::vector<Check> check_server(const ServerTarget& target);

// Returns what is true if all is well: "sshd lets jdoe@example.com in as jdoe".
std::string well_sentence(const ServerTarget& target);

}  // namespace mayfly::cli::doctor
