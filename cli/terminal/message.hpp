// How messages and results look: the only place that words "mayfly: error:" and "hint:".
#pragma once

#include <chrono>
#include <exception>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "access/core/error.hpp"

namespace mayfly::cli {

// Each writes to standard error: "mayfly: error: <message>" and "hint: <hint>"; "mayfly: warning:
// <text>"; the text as it is.
void print_error(const Error& error);
void print_warning(std::string_view text);
void print_notice(std::string_view text);
// Returns the hint for an error that has none of its own; "" if the message is enough.
std::string_view general_hint(ErrorKind kind);

// Thrown if standard output is a pipe without a reader (`| head -1`): the command ends silently.
class OutputClosed : public std::exception {};

// Writes the result of a command to standard output. Throws OutputClosed, or Error(failed) if
// standard output takes no more (a full disk).
void print_result(std::string_view text);

// Returns indented JSON with its members in order, in ASCII, so that a terminal obeys no character
// of it. Invalid UTF-8 becomes U+FFFD.
std::string json_text(const nlohmann::ordered_json& value);

// A line below all messages that tells how a wait goes on; only a terminal shows it. Its destructor
// removes it. There is at most one at a time.
class ProgressLine {
 public:
  ProgressLine() = default;
  ~ProgressLine() { show(""); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Replaces the line by the text, cut to the terminal's width; "" removes it.
  void show(std::string_view text);
  // Says from two seconds on that a host has not answered yet.
  void show_waiting(std::string_view host, std::chrono::seconds waited);
};

struct Terminal {
  int columns = 80, lines = 24;
  // Whether it takes escape sequences (ECMA-48), which TERM=dumb denies.
  enum class Kind { dumb, capable } kind = Kind::dumb;
};

// Returns what TERM says of every terminal of this process.
Terminal::Kind terminal_kind();

// Returns the terminal that standard error leads to, with its present size, or nullopt.
std::optional<Terminal> message_terminal();

}  // namespace mayfly::cli
