#include "sshgen/inventory.hpp"

#include <doctest/doctest.h>

#include "sshgen/on_disk.hpp"
#include "sshgen/testing/agent_process.hpp"
#include "sshgen/testing/scratch.hpp"

namespace mayfly::sshgen {
namespace {

std::chrono::sys_seconds present() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

struct Home {
  Scratch scratch;
  StateDirectory state = StateDirectory::open(scratch.path());
  Authority authority = Authority();

  void write(const char* url, const std::string& validity = "-5m:+1h") {
    const auto pair = generate_key_pair(KeyType::ecdsa);
    const auto line = authority.sign(pair.public_line(), "-I id -n jdoe -V " + validity);
    write_to_disk(state, parse_url(url), pair, {line, parse_certificate(line).value()});
  }
};

TEST_CASE("inventory: certificates on disk, ended ones and broken ones too") {
  Home home;
  home.write("vm.example.com");
  home.write("old.example.com/team", "20200101:20200102");
  home.write("broken.example.com");
  home.state.write("broken.example.com-cf_key", "garbage");
  home.state.write("key.example.com-cf_key", "a key alone");
  const auto names = home.state.list();
  const auto kept = certificates_on_disk(home.state, present());
  REQUIRE(kept.size() == 3);

  CHECK(kept[0].place == "broken.example.com");
  CHECK_FALSE(kept[0].certificate);
  CHECK(kept[0].objection.ends_with(
      "broken.example.com-cf_key-cert.pub is not a certificate for the key beside it"));
  CHECK(kept[1].place == "old.example.com-team");
  CHECK(kept[1].certificate->remaining_at(present()).count() == 0);
  CHECK(kept[2].place == "vm.example.com");
  CHECK(kept[2].file == "vm.example.com-cf_key-cert.pub");
  CHECK(kept[2].certificate->principals == std::vector<std::string>{"jdoe"});
  CHECK(home.state.list() == names);
}

TEST_CASE("inventory: places with keys have any of the three files") {
  Home home;
  for (const char* name : {"a.example-cf_key", "b.example-cf_key.pub", "c.example-cf_key-cert.pub",
                           "cert.pem", "id_ecdsa.pub", "-cf_key", ".x-cf_key"})
    home.state.write(name, "");
  CHECK(places_with_keys(home.state) ==
        std::vector<std::string>{"a.example", "b.example", "c.example"});
  for (const auto& place : places_with_keys(home.state))
    CHECK(remove_from_disk(home.state, key_files_at(place)));
  CHECK(places_with_keys(home.state).empty());
}

TEST_CASE("inventory: certificates in the agent under our comments") {
  const AgentProcess process;
  auto agent = Agent::connect(process.socket());
  CHECK(certificates_in_agent(agent).empty());
  const auto pair = generate_key_pair(KeyType::ed25519);
  const auto line = Authority().sign(pair.public_line());
  const auto certificate = parse_certificate(line).value();
  agent.add(
      {pair, certificate, agent_comment(parse_url("vm.example.com")), std::chrono::seconds(3600)});
  const auto kept = certificates_in_agent(agent);
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].place == "vm.example.com");
  CHECK(kept[0].where == KeptCertificate::Where::agent);
  CHECK(agent.remove_all(agent_comment_at("vm.example.com")) == 1);
  CHECK(certificates_in_agent(agent).empty());

  agent.add({pair, certificate, "jdoe@laptop", std::chrono::seconds(3600)});
  CHECK(certificates_in_agent(agent).empty());
}

}  // namespace
}  // namespace mayfly::sshgen
