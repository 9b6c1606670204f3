// For tests: a program at the HTTP listener, which can tell a whole answer from a part of one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/system/descriptor.hpp"

namespace mayfly::testing {

// A connection from a program to the listener.
struct LocalPair {
  Descriptor listeners;  // non-blocking
  Descriptor programs;
  std::string host;  // what the listener is called by who uses it
};
LocalPair tcp_pair();
LocalPair unix_pair();

struct Answer {
  int status = 0;  // 0: not even a head came
  std::string body;
  bool whole = false;  // by all that HTTP says about it (RFC 9112 section 8)
};

// Reads answers one after the other, as RFC 9112 has them and with nothing of mayfly's.
class AnswerReader {
 public:
  // The socket outlives it.
  explicit AnswerReader(int socket) : socket_(socket) {}
  // After 101: all that comes.
  Answer next();

 private:
  bool more();
  std::optional<std::string> line();
  bool take(std::size_t size, std::string& into);
  void body_of(Answer& answer);
  bool chunks(std::string& into);

  int socket_;
  std::string text_;     // read, and not yet used
  std::string framing_;  // the header that says where the body ends
  enum class End { none, orderly, reset } end_ = End::none;
};

// Says each request once the one before is answered, and stops at the first that is not whole;
// closes its end.
std::vector<Answer> converse(Descriptor socket, const std::vector<std::string>& requests);

}  // namespace mayfly::testing
