#include "cli/completion.hpp"

#include <doctest/doctest.h>

#include <set>

#include "cli/commands.hpp"

using namespace mayfly::cli;
using Kind = Completion::Kind;
using Names = std::set<std::string>;
using Words = std::vector<std::string>;

namespace {

Completion completed(const Words& words) {
  return complete(words, [] { return Words{"vm.example.com", "web.example.com"}; });
}

Names names(const Words& words) {
  Names all;
  for (const auto& candidate : completed(words).candidates) all.insert(candidate.word);
  return all;
}

}  // namespace

TEST_CASE(
    "completion: every command is offered, and every flag of its parser but the hidden ones") {
  const Names commands = names({""});
  for (const Command& command : all_commands()) {
    CAPTURE(command.name);
    CHECK(commands.contains(std::string(command.name)));
    const Names flags = names({std::string(command.name), "-"});
    for (const ArgumentFacts& one : parser_of(command).arguments())
      if (one.kind != ArgumentFacts::Kind::positional)
        CHECK(flags.contains(one.names.front()) == (one.kind != ArgumentFacts::Kind::hidden));
  }
  CHECK(names({"login", "-q"}) == Names{"-q"});
  CHECK_FALSE(names({"ssh", "--"}).contains("--connect-to"));
}

TEST_CASE("completion: words before the command are passed over as in a run") {
  CHECK(names({"access", "sta"}) == Names{"status"});
  CHECK(names({"--fedramp", "--logfile", "x", "forward", "logo"}) == Names{"logout"});
  CHECK(names({"--no-such-flag", "logo"}).empty());
  CHECK(names({"no-such-command", ""}).empty());
}

TEST_CASE("completion: curl takes the flags that it does not have itself, and then its own") {
  CHECK(completed({"curl", ""}).kind == Kind::program);
  CHECK(names({"curl", "--allow-r"}) == Names{"--allow-request", "--allow-redirects"});
  CHECK(names({"curl", "--b"}) == Names{"--batch"});
  CHECK(names({"curl", "--cacert"}).empty());
}

TEST_CASE("completion: the words behind -- are those of the listener's program") {
  for (const char* command : {"tcp", "ssh", "rdp", "smb", "socks", "http"}) {
    CAPTURE(command);
    CHECK(completed({command, "vm.example.com", "--", ""}).kind == Kind::program);
    CHECK(completed({command, "vm.example.com", "--", "psql", "-"}).kind == Kind::program);
    CHECK(names({command, "vm.example.com", "--"}).contains("--batch"));
  }
  CHECK(completed({"token", "--", ""}).kind != Kind::program);
}

TEST_CASE("completion: values") {
  CHECK(names({"ssh-gen", "--key-type", ""}) == Names{"ecdsa", "ed25519"});
  CHECK(names({"completion", ""}) == Names{"bash", "fish", "zsh"});
  CHECK(completed({"token", "--cert", ""}).kind == Kind::files);
  CHECK(completed({"token", "--service-token-secret-file=x"}).kind == Kind::files);
  CHECK(completed({"token", "--log-directory", ""}).kind == Kind::directories);
  CHECK(names({"token", "--proxy", ""}).empty());
  CHECK(names({"tcp", "-T", "v"}) == Names{"vm.example.com"});
  CHECK(names({"tcp", "-hostname", "v"}) == Names{"vm.example.com"});
  CHECK(names({"tcp", "--hostname=v"}) == Names{"--hostname=vm.example.com"});
  CHECK(names({"login", "https://v"}) == Names{"https://vm.example.com"});
  CHECK(names({"login", "-q", "v"}) == Names{"vm.example.com"});
}
