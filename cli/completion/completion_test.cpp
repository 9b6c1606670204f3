#include <doctest/doctest.h>

#include <algorithm>

#include "access/core/error.hpp"
#include "cli/completion/completion_script.hpp"
#include "cli/completion/completion_words.hpp"

using namespace mayfly::cli;

namespace {

using Source = ValueWords::Source;

const std::vector<CommandWords>& words() {
  static const auto all = command_words(all_commands());
  return all;
}

const CommandWords& command(std::string_view name) {
  const auto found = std::find_if(words().begin(), words().end(), [&](const CommandWords& one) {
    return std::find(one.names.begin(), one.names.end(), name) != one.names.end();
  });
  REQUIRE(found != words().end());
  return *found;
}

const FlagWords* flag(const CommandWords& in, std::string_view name) {
  for (const FlagWords& one : in.flags)
    if (std::find(one.names.begin(), one.names.end(), name) != one.names.end()) return &one;
  return nullptr;
}

}  // namespace

TEST_CASE("completion: every command is there, with the flags of its own parser") {
  CHECK(words().size() == all_commands().size());
  for (const CommandWords& one : words()) {
    CAPTURE(one.names.front());
    CHECK(flag(one, "--help"));
    CHECK(flag(one, "-h"));
  }
  CHECK(flag(command("login"), "--quiet")->value.source == Source::nothing);
  CHECK(flag(command("login"), "-q") == flag(command("login"), "--quiet"));
  CHECK(flag(command("rdp"), "--hostname")->value.source == Source::hostname);
  CHECK(flag(command("tcp"), "-T") == flag(command("tcp"), "--hostname"));
  CHECK(command("login").positional.source == Source::hostname);
}

TEST_CASE("completion: curl takes our flags that it has not got itself, and then its own") {
  using Rest = CommandWords::Rest;
  CHECK(command("curl").rest == Rest::of_program);
  CHECK(flag(command("curl"), "--allow-request"));
  CHECK(flag(command("curl"), "--batch"));
  CHECK_FALSE(flag(command("curl"), "--cacert"));
  CHECK(command("ssh").rest == Rest::ours);
}

TEST_CASE("completion: hidden flags stay hidden") {
  CHECK_FALSE(flag(command("ssh"), "--connect-to"));
  CHECK_FALSE(flag(command("completion"), "--hostnames"));
}

TEST_CASE("completion: what a value may be") {
  const auto& type = flag(command("ssh-gen"), "--key-type")->value;
  CHECK(type.source == Source::choice);
  CHECK(type.choices == std::vector<std::string>{"ecdsa", "ed25519"});
  CHECK(command("completion").positional.choices ==
        std::vector<std::string>{"bash", "zsh", "fish"});
  CHECK(flag(command("token"), "--cert")->value.source == Source::file);
  CHECK(flag(command("token"), "--service-token-secret-file")->value.source == Source::file);
  CHECK(flag(command("token"), "--log-directory")->value.source == Source::directory);
  CHECK(flag(command("token"), "--proxy")->value.source == Source::anything);
}

TEST_CASE("completion: a parser that is shown runs nothing") {
  for (const Command& one : all_commands()) {
    bool shown = false;
    Invocation invocation{.name = std::string(one.name), .arguments = {"--no-such-flag"}};
    invocation.show_parser = [&](const CLI::App&) { shown = true; };
    CHECK(one.run(invocation) == 0);
    CHECK(shown);
  }
}

TEST_CASE("completion: quoted for the shell") {
  CHECK(single_quoted("it's") == "'it'\\''s'");
}
