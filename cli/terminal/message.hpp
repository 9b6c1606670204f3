// How messages look: the only place that words "mayfly: error:" and "hint:".
#pragma once

#include <exception>
#include <string_view>

#include "access/core/error.hpp"

namespace mayfly::cli {

// "mayfly: error: <message>" and "hint: <hint>", on stderr.
void print_error(const Error& error);
// What to do about an error that knows no better; "" when the message says all that can be said.
std::string_view general_hint(ErrorKind kind);
// "mayfly: warning: <text>".
void print_warning(std::string_view text);
// Text as it is, on stderr.
void print_notice(std::string_view text);
// Whoever read standard output has seen enough (`| head -1`): the command ends without a word.
class OutputClosed : public std::exception {};

// The product of a command. Throws Error(failed) when stdout takes no more (a full disk), and
// OutputClosed for a pipe that nobody reads.
void print_product(std::string_view text);

// A line below all messages that says how a wait goes on. Only a terminal shows it, where it is
// written over what it said before; it goes with this object, of which there is one at a time.
class ProgressLine {
 public:
  ProgressLine() = default;
  ~ProgressLine() { show(""); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Cut to the terminal's width; "" takes it away.
  void show(std::string_view text);
};

}  // namespace mayfly::cli
