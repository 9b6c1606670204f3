// The forms of a flag that cloudflared's users type.
#include "cli/flags/arguments.hpp"

#include <doctest/doctest.h>

#include "access/core/error.hpp"
#include "cli/commands.hpp"

using namespace mayfly;
using namespace mayfly::cli;

namespace {

struct Values {
  bool quiet = false;
  std::string place;
};

Values parsed(std::vector<std::string> arguments) {
  Values values;
  Parser parser({});
  parser.add_flag("--quiet,-q", values.quiet, "");
  parser.add_option("--listener,-L", values.place, "");
  parse_arguments(parser, {.name = "tcp", .arguments = std::move(arguments)});
  return values;
}

}  // namespace

TEST_CASE("arguments: a switch may say true or false, by its letter and by one dash too") {
  for (const char* word :
       {"-q", "-q=true", "-q=1", "-q=T", "-quiet", "-quiet=true", "--quiet=TRUE"})
    CHECK(parsed({word}).quiet);
  for (const char* word : {"-q=false", "-q=0", "-q=F", "-quiet=false", "--quiet=FALSE"})
    CHECK_FALSE(parsed({"-q", word}).quiet);
  CHECK_THROWS_AS(parsed({"-q=perhaps"}), Error);
}

TEST_CASE("arguments: the words behind the first -- are a program, unless -- is a flag's value") {
  struct Case {
    std::vector<std::string> given, program;
    std::string place;
  };
  for (const Case& one :
       {Case{{"-L", "x", "--", "psql", "-L", "y", "--", "z"}, {"psql", "-L", "y", "--", "z"}, "x"},
        Case{{"-L", "--", "--", "psql"}, {"psql"}, "--"}, Case{{"-L", "x"}, {}, "x"}}) {
    std::vector<std::string> program;
    std::string place;
    Parser parser({});
    parser.add_option("--listener,-L", place, "");
    parser.leave_words_behind_dashes(program);
    parse_arguments(parser, {.name = "tcp", .arguments = one.given});
    CHECK(program == one.program);
    CHECK(place == one.place);
  }
  for (const std::vector<std::string>& given :
       {std::vector<std::string>{"--"}, std::vector<std::string>{"--", "", "x"}}) {
    std::vector<std::string> program;
    Parser parser({});
    parser.leave_words_behind_dashes(program);
    CHECK_THROWS_AS(parse_arguments(parser, {.name = "tcp", .arguments = given}), Error);
  }
}

TEST_CASE("arguments: a letter's value may stand behind an equals sign") {
  CHECK(parsed({"-L=localhost:1", "-q=true"}).place == "localhost:1");
  CHECK(parsed({"-listener=a=b"}).place == "a=b");
}

TEST_CASE("arguments: an empty value is a value, as of a variable that is not set") {
  for (const char* word : {"--listener=", "-listener=", "-L="}) {
    CAPTURE(word);
    const Values values = parsed({"-L", "before", word, "-q"});
    CHECK(values.place.empty());
    CHECK(values.quiet);
  }
  CHECK(parsed({"--listener=-x"}).place == "-x");
  CHECK(parsed({"--listener=a="}).place == "a=");
}

TEST_CASE("arguments: what is too much is named in its order") {
  CHECK_THROWS_WITH_AS(parsed({"some", "-q", "extra", "--words"}),
                       "cannot read the arguments of tcp: not expected: some extra --words", Error);
}

TEST_CASE("arguments: a command is asked for its flags") {
  const auto has_flag = [](const char* command, std::string_view flag) {
    return parser_of(*find_command(command)).has_flag(flag);
  };
  CHECK(has_flag("ssh", "logfile"));
  CHECK(has_flag("token", "loglevel"));
  CHECK_FALSE(has_flag("status", "logfile"));
  CHECK_FALSE(has_flag("curl", "logfile"));
}

TEST_CASE("arguments: what follows the first positional one is left to another program") {
  using Words = std::vector<std::string>;
  struct Left {
    Words given, rest;
    bool quiet;
    std::string place;
  };
  const Left cases[] = {
      {{"vm", "-q", "--", "-L", "x"}, {"vm", "-q", "--", "-L", "x"}, false, ""},
      {{"-q", "vm"}, {"vm"}, true, ""},
      {{"-L", "vm", "host"}, {"host"}, false, "vm"},
      {{"-Lvm", "host"}, {"host"}, false, "vm"},
      {{"-L=vm", "host"}, {"host"}, false, "vm"},
      {{"-listener", "vm", "host"}, {"host"}, false, "vm"},
      {{"--listener=", "host"}, {"host"}, false, ""},
      {{"-q", "--", "-q"}, {"-q"}, true, ""},
      {{"-q"}, {}, true, ""},
      {{}, {}, false, ""},
  };
  for (const auto& [given, left, quiet, place] : cases) {
    CAPTURE(given);
    Values values;
    Words rest;
    Parser parser({});
    parser.add_flag("--quiet,-q", values.quiet, "");
    parser.add_option("--listener,-L", values.place, "");
    parser.leave_rest_to_program(rest);
    parse_arguments(parser, {.name = "connect", .arguments = given});
    CHECK(rest == left);
    CHECK(values.quiet == quiet);
    CHECK(values.place == place);
  }
}
