#include "sshconfig/quote.hpp"

#include <doctest/doctest.h>

#include "access/core/error.hpp"

using namespace mayfly::sshconfig;

TEST_CASE("quote: harmless words stay as they are") {
  for (const std::string word :
       {"/usr/bin/mayfly", "vm.example.com", "--cert", "a_b-c+d,e:f@g=h"}) {
    CHECK(shell_word(word) == word);
    CHECK(config_word(word) == word);
    CHECK(without_tokens(word) == word);
  }
}

TEST_CASE("quote: shell words") {
  CHECK(shell_word("") == "''");
  CHECK(shell_word("50%h") == "50%%h");
  CHECK(shell_word("/my dir/50%") == "'/my dir/50%%'");
  CHECK(shell_word("$(id)") == "'$(id)'");
  CHECK(shell_word("~/x") == "'~/x'");
  CHECK(shell_word("a'b") == "'a'$(printf '\\047')'b'");
  CHECK(shell_word("a\"b") == "'a'$(printf '\\042')'b'");
  CHECK(shell_word("a\\b") == "'a'$(printf '\\134')'b'");
}

TEST_CASE("quote: arguments of ssh's keywords") {
  CHECK(config_word("") == "\"\"");
  CHECK(config_word("~/.cloudflared/%h-cf_key") == "~/.cloudflared/%h-cf_key");
  CHECK(config_word("/my dir/%h-cf_key") == "\"/my dir/%h-cf_key\"");
  CHECK(config_word("#x") == "\"#x\"");
  CHECK(config_word("a\"b\\c'd") == "\"a\\\"b\\\\c'd\"");
  CHECK(without_tokens("/50%h/$HOME") == "/50%%h/$HOME");
}

TEST_CASE("quote: characters that no quoting protects are refused") {
  for (const std::string bad : {"a\nb", "a\rb", "a\tb", "\x7f", "\x1b[2J"}) {
    CHECK_THROWS_AS(shell_word(bad), mayfly::Error);
    CHECK_THROWS_AS(config_word(bad), mayfly::Error);
    CHECK_THROWS_AS(without_tokens(bad), mayfly::Error);
  }
  CHECK_THROWS_AS(shell_word(std::string(1, '\0')), mayfly::Error);
  CHECK_THROWS_AS(without_tokens("/a/${HOME}"), mayfly::Error);
}

TEST_CASE("quote: a shell word reads the same between the double quotes of every OpenSSH") {
  for (const std::string text : {"\"", "\\", "\\\\", "\\'", "a\\\"b", "'\\", "\\ x", "''\"\"\\"}) {
    const std::string word = shell_word(text);
    CAPTURE(word);
    CHECK(word.find('"') == std::string::npos);
    for (auto at = word.find('\\'); at != std::string::npos; at = word.find('\\', at + 1)) {
      // The escapes of OpenSSH 9.9 and later (argv_split): quotes, a backslash, a space.
      CHECK(std::string_view("'\"\\ ").find(word.at(at + 1)) == std::string_view::npos);
    }
  }
}
