// Settings as sshd -T of OpenSSH 9.2 prints them; tests/e2e/test_sshd_check.py asks the real one.
#include "sshconfig/sshd_entry.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>

#include "access/core/error.hpp"

namespace mayfly::sshconfig {
namespace {

using State = EntryCheck::State;
using Words = std::vector<std::string>;

constexpr std::string_view usual =
    "pubkeyauthentication yes\nauthenticationmethods any\nusepam yes\n"
    "permitrootlogin without-password\ntrustedusercakeys /etc/ssh/ca.pub\n"
    "authorizedprincipalsfile none\nauthorizedprincipalscommand none\n"
    "casignaturealgorithms ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512\n"
    "pubkeyacceptedalgorithms ssh-ed25519-cert-v01@openssh.com,"
    "ecdsa-sha2-nistp256-cert-v01@openssh.com\n";

EntryFacts facts_with(std::string_view more = "") {
  EntryFacts facts{"jdoe", "jdoe"};
  // The first line of a keyword counts.
  facts.settings = parse_sshd_settings(fmt::format("{}{}", more, usual));
  facts.account = Account{.user = "jdoe",
                          .home = "/home/jdoe",
                          .shell = "/bin/sh",
                          .uid = 1000,
                          .group_ids = {1000},
                          .groups = {"jdoe", "staff"}};
  facts.trusted_keys.types = {"ecdsa-sha2-nistp256"};
  facts.is_clock_synchronised = true;
  return facts;
}

EntryCheck check_of(const EntryFacts& facts, std::string_view name) {
  const auto checks = judge_entry(facts);
  const auto found = std::find_if(checks.begin(), checks.end(),
                                  [&](const EntryCheck& check) { return check.name == name; });
  REQUIRE(found != checks.end());
  return *found;
}

// Requires that this check fails, and no other one.
void check_failure(const EntryFacts& facts, std::string_view name) {
  CAPTURE(name);
  for (const EntryCheck& check : judge_entry(facts)) {
    CAPTURE(check.name);
    CHECK((check.state == State::failed) == (check.name == name));
    if (check.state == State::failed) CHECK(!check.hint.empty());
  }
}

}  // namespace

TEST_CASE("sshd entry: usual settings let a principal in as the user of the same name") {
  for (const EntryCheck& check : judge_entry(facts_with())) {
    CAPTURE(check.detail);
    CHECK(check.state == State::ok);
  }
}

TEST_CASE("sshd entry: settings that keep each certificate out") {
  check_failure(facts_with("pubkeyauthentication no\n"), "public_keys");
  check_failure(facts_with("pubkeyacceptedalgorithms ssh-ed25519,rsa-sha2-512\n"), "public_keys");
  check_failure(facts_with("authenticationmethods password keyboard-interactive\n"), "methods");
  check_failure(facts_with("trustedusercakeys none\n"), "trusted_keys");
  check_failure(facts_with("casignaturealgorithms ssh-ed25519\n"), "trusted_keys");
  EntryFacts facts = facts_with();
  facts.trusted_keys = {{}, "cannot read it"};
  check_failure(facts, "trusted_keys");
}

TEST_CASE("sshd entry: settings that want something besides the certificate are a warning") {
  CHECK(check_of(facts_with("authenticationmethods publickey,password\n"), "methods").state ==
        State::warning);
  CHECK(check_of(facts_with("authenticationmethods password publickey\n"), "methods").state ==
        State::ok);
  CHECK(check_of(facts_with("pubkeyacceptedalgorithms ssh-ed25519-cert-v01@openssh.com\n"),
                 "public_keys")
            .state == State::warning);
}

TEST_CASE("sshd entry: an RSA key signs with SHA-2") {
  EntryFacts facts = facts_with();
  facts.trusted_keys.types = {"ssh-rsa"};
  CHECK(check_of(facts, "trusted_keys").state == State::ok);
}

TEST_CASE("sshd entry: accounts that sshd or the shell turns away") {
  const auto with = [](const auto& change) {
    EntryFacts facts = facts_with();
    change(facts);
    return facts;
  };
  check_failure(with([](auto& f) { f.account->has_expired = true; }), "account");
  check_failure(with([](auto& f) { f.account->shell_state = Account::Shell::absent; }), "account");
  check_failure(with([](auto& f) { f.account->shell_state = Account::Shell::ends_logins; }),
                "account");
  check_failure(with([](auto& f) { f.logins_are_off = true; }), "account");
  EntryFacts locked = facts_with("usepam no\n");
  CHECK(check_of(locked, "account").state == State::ok);
  locked.account->is_locked = true;
  check_failure(locked, "account");
  EntryFacts locked_with_pam = facts_with();
  locked_with_pam.account->is_locked = true;
  CHECK(check_of(locked_with_pam, "account").state == State::ok);
  EntryFacts absent = facts_with();
  absent.account.reset();
  check_failure(absent, "account");
}

TEST_CASE("sshd entry: lists of users and groups, with patterns") {
  for (const std::string_view out : {"allowusers ann\n", "denyusers jd*\n", "denygroups staff\n",
                                     "allowgroups wheel\n", "allowusers *\nallowusers !jdoe\n"})
    check_failure(facts_with(out), "allowed_users");
  for (const std::string_view in : {"allowusers ann\nallowusers j?oe\n", "denyusers ann\n",
                                    "allowgroups wheel\nallowgroups staff\n"})
    CHECK(check_of(facts_with(in), "allowed_users").state == State::ok);
}

TEST_CASE("sshd entry: root enters as PermitRootLogin says") {
  const auto lets_root_in = [](const std::string& value) {
    EntryFacts facts = facts_with(fmt::format("permitrootlogin {}\n", value));
    facts.account->uid = 0;
    return check_of(facts, "allowed_users").state == State::ok;
  };
  for (const std::string value : {"yes", "without-password", "prohibit-password"})
    CHECK_MESSAGE(lets_root_in(value), value);
  for (const std::string value : {"no", "forced-commands-only"})
    CHECK_MESSAGE(!lets_root_in(value), value);
}

TEST_CASE("sshd entry: principals by name, by file and by command") {
  EntryFacts facts = facts_with();
  facts.principal = "ann";
  check_failure(facts, "principals");
  facts.principals = PrincipalsFile{"/etc/ssh/p/jdoe", {"kim", "ann"}};
  CHECK(check_of(facts, "principals").state == State::ok);
  facts.principal = "jdoe";  // A file that sshd reads counts alone.
  check_failure(facts, "principals");
  facts.principals->problem = "others can write in /etc/ssh/p";
  check_failure(facts, "principals");
  facts.settings =
      parse_sshd_settings(fmt::format("authorizedprincipalscommand /usr/bin/names %u\n{}", usual));
  CHECK(check_of(facts, "principals").state == State::warning);
}

TEST_CASE("sshd entry: nothing is said of a person or a user whom nobody named") {
  EntryFacts facts = facts_with();
  facts.principal = "";
  CHECK(check_of(facts, "principals").state == State::skipped);
  facts.user = "";
  facts.account.reset();
  for (const auto* name : {"account", "allowed_users", "principals"})
    CHECK(check_of(facts, name).state == State::skipped);
}

TEST_CASE("sshd entry: a clock that no service keeps right is a warning") {
  EntryFacts facts = facts_with();
  facts.is_clock_synchronised = false;
  CHECK(check_of(facts, "clock").state == State::warning);
}

TEST_CASE("sshd entry: lines of a file of principals") {
  CHECK(parse_principal_lines("# all\njdoe\n\n  ann # she\nfrom=\"10.0.0.0/8\" kim\r\n") ==
        Words{"jdoe", "ann", "kim"});
}

TEST_CASE("sshd entry: the principal of an email address") {
  CHECK(principal_of_email("jdoe@example.com") == "jdoe");
  for (const auto* text : {"", "jdoe", "@example.com", "jdoe@"})
    CHECK_THROWS_AS(principal_of_email(text), Error);
}

}  // namespace mayfly::sshconfig
