#include "sshconfig/shell_words.hpp"

#include <doctest/doctest.h>

using namespace mayfly::sshconfig;
using Words = std::vector<std::string>;

// What sh -c 'printf "%s\n" WORDS' prints for the same.
TEST_CASE("words of a command") {
  struct Case {
    const char* command;
    Words words;
  };
  const Case cases[] = {
      {"", {}},
      {"  a  b\tc ", {"a", "b", "c"}},
      {"'/opt/my fly/mayfly' access", {"/opt/my fly/mayfly", "access"}},
      {"/opt/my\\ fly/mayfly x", {"/opt/my fly/mayfly", "x"}},
      {R"("a b"c'd e'f)", {"a bcd ef"}},
      {R"("q\"\$\x")", {"q\"$\\x"}},
      {"a '' b", {"a", "", "b"}},
      {"a 2>/dev/null", {"a", "2"}},
      {"a; b", {"a"}},
      {"'not closed", {"not closed"}},
      {"end\\", {"end\\"}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.command);
    CHECK(shell_words(one.command) == one.words);
  }
}

TEST_CASE("the program of a command") {
  CHECK(program_of({"/usr/bin/mayfly", "access"}) == "/usr/bin/mayfly");
  CHECK(program_of({"HTTPS_PROXY=http://p:1", "exec", "mayfly"}) == "mayfly");
  CHECK(program_of({"=x"}) == "=x");
  CHECK(program_of({"A=b"}).empty());
  CHECK(program_of({}).empty());
}
