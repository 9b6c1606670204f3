#include "sshconfig/shell_words.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

#include "sshconfig/quote.hpp"

using namespace mayfly::sshconfig;
using Words = std::vector<std::string>;

namespace {

struct Case {
  const char* command;
  Words words;
};

void check(std::initializer_list<Case> cases) {
  for (const Case& one : cases) {
    CAPTURE(one.command);
    CHECK(shell_words(one.command) == one.words);
  }
}

}  // namespace

// What sh -c 'printf "%s\n" WORDS' prints for the same.
TEST_CASE("words of a command") {
  check({
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
      {R"('/home/o'$(printf '\047')'brien/mayfly' x)", {"/home/o'brien/mayfly", "x"}},
      {"\"$(printf '\\134')\" x", {"\\", "x"}},
  });
}

TEST_CASE("expansions are part of a word, and stay") {
  check({
      {"$(which mayfly) access", {"$(which mayfly)", "access"}},
      {"a$(b (c) 'd)' \"e)\" \\) f)g h", {"a$(b (c) 'd)' \"e)\" \\) f)g", "h"}},
      {"\"a $(b \"c\") d\" e", {"a $(b \"c\") d", "e"}},
      {"`which \\` mayfly` access", {"`which \\` mayfly`", "access"}},
      {"'$(a' b", {"$(a", "b"}},
      {"$(printf '\\477') a", {"$(printf '\\477')", "a"}},
      {"$(printf '\\047' b) a", {"$(printf '\\047' b)", "a"}},
      {"$(not closed", {"$(not closed"}},
      {"`not closed", {"`not closed"}},
      {"$(ends \\", {"$(ends \\"}},
      {"$('", {"$('"}},
  });
}

TEST_CASE("what is quoted for a shell is read back") {
  for (const char* text :
       {"", "plain", "a b", "o'brien", "a\"b", "a\\b", "$HOME `id` $(id)", "'\"\\'", "#;|&<>()"}) {
    CAPTURE(text);
    CHECK(shell_words("x " + shell_word(text) + " y") == Words{"x", text, "y"});
  }
}

TEST_CASE("the program of a command") {
  CHECK(program_of({"/usr/bin/mayfly", "access"}) == "/usr/bin/mayfly");
  CHECK(program_of({"HTTPS_PROXY=http://p:1", "exec", "mayfly"}) == "mayfly");
  CHECK(program_of({"=x"}) == "=x");
  CHECK(program_of({"A=b"}).empty());
  CHECK(program_of({}).empty());
}
