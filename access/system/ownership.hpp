// Files of another user: whose they are, and the command that gives them back.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "access/core/error.hpp"

namespace mayfly {

// Returns the user's name, or "user 1234" if the user database has none.
std::string owner_text(uid_t owner);

// Returns the Error(failed) for a file or directory of another user: "cannot VERB PATH: it belongs
// to root". The hint is the command that makes it the user's own if it lies in a directory of the
// user, and else to run mayfly as the owner.
Error foreign_owner(std::string_view verb, const std::string& path, uid_t owner);

}  // namespace mayfly
