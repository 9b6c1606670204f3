// The flags before a command, with the words that users of cloudflared give.
#include "cli/flags/global_flags.hpp"

#include <doctest/doctest.h>

#include "access/core/error.hpp"

using namespace mayfly;
using namespace mayfly::cli;

namespace {

using Words = std::vector<std::string>;

struct Taken {
  GlobalFlags flags;
  std::size_t next = 0;
};

// As long as there are words that begin with a dash.
Taken take_all(const Words& words) {
  Taken taken;
  while (taken.next < words.size() && words[taken.next].starts_with('-'))
    taken.next = take_global_flag(words, taken.next, taken.flags);
  return taken;
}

}  // namespace

TEST_CASE("global flags: each takes its value along, and one dash is as good as two") {
  for (const Words& words :
       {Words{"--no-autoupdate", "access"}, Words{"-no-autoupdate=true", "access"},
        Words{"--config", "/dev/null", "access"}, Words{"-config=/dev/null", "access"},
        Words{"--metrics", "localhost:0", "--pidfile", "/run/x", "access"},
        Words{"--autoupdate-freq", "24h", "--origincert", "cert.pem", "access"},
        Words{"--transport-loglevel", "warn", "--edge", "a:1", "--edge", "b:1", "access"},
        Words{"--output", "json", "-cred-file", "x.json", "-n", "name", "-pq", "access"},
        Words{"--logfile", "--no-autoupdate", "access"}}) {
    CAPTURE(words.front());
    CHECK(take_all(words).next == words.size() - 1);
  }
}

TEST_CASE("global flags: those with a value are kept in their order") {
  const Taken taken = take_all({"-loglevel", "debug", "--no-autoupdate", "--logfile=", "--logfile",
                                "a=b", "-log-directory=--x", "access"});
  CHECK(taken.flags ==
        Words{"--loglevel=debug", "--logfile=", "--logfile=a=b", "--log-directory=--x"});
}

TEST_CASE("global flags: --fedramp has the forms of Go's booleans") {
  for (const char* word : {"--fedramp", "-fedramp", "--fedramp=true", "-fedramp=T", "--fedramp=1"})
    CHECK(take_all({word}).flags == Words{"--fedramp"});
  for (const char* word : {"--fedramp=false", "-fedramp=F", "--fedramp=0", "--fedramp=FALSE"})
    CHECK(take_all({"--fedramp", word}).flags.empty());
  for (const char* word : {"--fedramp=", "--fedramp=yes", "--fedramp=\x1b"})
    CHECK_THROWS_AS(take_all({word}), Error);
}

TEST_CASE("global flags: what cloudflared has not is called a flag, and a value must be there") {
  CHECK_THROWS_WITH_AS(take_all({"--batch", "login"}), "there is no flag --batch before a command",
                       Error);
  CHECK_THROWS_WITH_AS(take_all({"--no-autoupdate", "--logfile"}),
                       "the flag --logfile needs a value", Error);
  CHECK_THROWS_AS(take_all({"--"}), Error);
  CHECK_THROWS_AS(take_all({"-"}), Error);
}
