// Puts the lines of mayfly into sshd's configuration, and takes them out again.
#pragma once

#include <string>
#include <vector>

#include "sshconfig/sshd_lines.hpp"
#include "sshconfig/sshd_query.hpp"

namespace mayfly::sshconfig {

struct SshdWish {
  Sshd sshd;
  std::string ca_keys;  // the signer's public keys, a line each
  std::vector<UserPrincipals> principals = {};
};

struct SshdOutcome {
  std::vector<std::string> changed;   // paths of files
  std::vector<std::string> warnings;  // each a sentence without a full stop
};

// Writes the signer's keys, the principals, and then the lines: into sshd_config.d if sshd_config
// includes that folder before any Match, otherwise into sshd_config itself. Asks sshd about the new
// configuration before it takes the place of the old one, and again afterwards; if sshd refuses it,
// or if the lines would have no effect, throws Error(failed) and leaves all files as they were.
SshdOutcome install_in_sshd(const SshdWish& wish);

// Removes the lines and the files of mayfly. All other bytes stay. If sshd accepted the
// configuration before and refuses it afterwards, restores everything and throws Error(failed).
SshdOutcome remove_from_sshd(const Sshd& sshd);

}  // namespace mayfly::sshconfig
