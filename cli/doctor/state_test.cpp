#include "cli/doctor/state.hpp"

#include <doctest/doctest.h>

using namespace mayfly;
using namespace mayfly::cli::doctor;
using Kind = EntryFacts::Kind;
using State = CheckResult::State;

namespace {

DirectoryFacts with(std::vector<EntryFacts> entries) {
  return {.entries = std::move(entries)};
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("doctor: a good state directory") {
  const CheckResult result =
      judge_state("/home/me/.cloudflared",
                  with({{"vm-aud-token"}, {"vm-cf_key.pub", Kind::file, true, true}}), {});
  CHECK(result.state == State::ok);
  CHECK(result.detail == "/home/me/.cloudflared, 2 files");
  CHECK(judge_no_state("/x").state == State::ok);
}

TEST_CASE("doctor: what keeps mayfly from using its state") {
  DirectoryFacts read_only;
  read_only.is_writable = false;
  const DirectoryFacts broken[] = {read_only, with({{"vm-aud-token", Kind::link}}),
                                   with({{"vm-cf_key.lock", Kind::other}}),
                                   with({{"vm-cf_key", Kind::file, false}})};
  const std::string_view words[] = {"cannot be written", "a symbolic link", "no regular file",
                                    "belongs to root"};
  for (std::size_t i = 0; i < std::size(broken); ++i) {
    const CheckResult result = judge_state("/x", broken[i], {});
    CHECK(result.state == State::failed);
    CHECK(result.kind == ErrorKind::failed);
    CHECK(holds(result.detail, words[i]));
    CHECK_FALSE(result.hint.empty());
  }
}

TEST_CASE("doctor: other programs' files are theirs") {
  CHECK(judge_state("/x", with({{"config.yml", Kind::link}, {"cert.pem", Kind::file, false, true}}),
                    {})
            .state == State::ok);
}

TEST_CASE("doctor: what should be better about the state") {
  const CheckResult open = judge_state("/x", with({{"vm-aud-token", Kind::file, true, true}}), {});
  CHECK(open.state == State::warning);
  CHECK(open.hint == "run: chmod 600 /x/vm-aud-token");

  DirectoryFacts listed;
  listed.is_open_to_others = true;
  CHECK(judge_state("/x", listed, {}).state == State::warning);
  CHECK(judge_state("/x", listed, {}).hint == "run: chmod 700 /x");
  CHECK(judge_state("/x y", listed, {}).hint == "run: chmod 700 '/x y'");

  const CheckResult orphan =
      judge_state("/x", with({{"vm\x1b-token.lock"}}), {"vm\x1b-token.lock"});
  CHECK(orphan.state == State::warning);
  CHECK(holds(orphan.detail, "/x/vm\\x1b-token.lock"));
}
