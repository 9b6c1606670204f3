// The terminal that messages go to, if there is one.
#pragma once

#include <optional>

namespace mayfly::cli {

struct Terminal {
  int columns = 80, lines = 24;
  // Whether it takes escape sequences (ECMA-48), which TERM=dumb denies.
  enum class Kind { dumb, capable } kind = Kind::dumb;
};

// What TERM says of any terminal here.
Terminal::Kind terminal_kind();

// What stderr leads to now: a window may change its size. Nothing when that is no terminal.
std::optional<Terminal> message_terminal();

}  // namespace mayfly::cli
