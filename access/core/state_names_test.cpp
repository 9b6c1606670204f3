#include "access/core/state_names.hpp"

#include <doctest/doctest.h>

#include "access/core/error.hpp"

using namespace mayfly;

namespace {

// The names are cloudflared's, as docs/protocol.md section 3 gives them.
struct Case {
  const char* name;
  StateFile kind;
  const char* stem;
};

const Case cases[] = {
    {"vm.example.com-0123-token", StateFile::app_token, "vm.example.com-0123"},
    {"team.cloudflareaccess.com-org-token", StateFile::org_token, "team.cloudflareaccess.com"},
    {"vm.example.com-app", StateFile::application, "vm.example.com"},
    {"team.cloudflareaccess.com-jwks", StateFile::key_set, "team.cloudflareaccess.com"},
    {"vm.example.com-oauth-client", StateFile::oauth_client, "vm.example.com"},
    {"vm.example.com-oauth-grant", StateFile::oauth_grant, "vm.example.com"},
    {"vm.example.com-oauth-grant.lock", StateFile::lock, "vm.example.com-oauth-grant"},
    {"0123.access-service-team", StateFile::service_team, "0123.access"},
    {"vm.example.com-cf_key", StateFile::private_key, "vm.example.com"},
    {"vm.example.com-cf_key.pub", StateFile::public_key, "vm.example.com"},
    {"vm.example.com-cf_key-cert.pub", StateFile::certificate, "vm.example.com"},
    {"vm.example.com-own_key.pub", StateFile::own_public_key, "vm.example.com"},
    {"vm.example.com-own_key-cert.pub", StateFile::own_certificate, "vm.example.com"},
    {"vm.example.com-agent-cert.pub", StateFile::agent_certificate, "vm.example.com"},
    {"vm.example.com-0123-token.lock", StateFile::lock, "vm.example.com-0123-token"},
    {"vm.example.com-cf_key.url", StateFile::url, "vm.example.com-cf_key"},
    {".mayfly-0011223344556677.tmp", StateFile::temporary, "0011223344556677"},
};

}  // namespace

TEST_CASE("each kind of state file is built and recognised by the same rule") {
  for (const Case& one : cases) {
    CAPTURE(one.name);
    CHECK(state_name(one.kind, one.stem) == one.name);
    const auto found = recognise(one.name);
    REQUIRE(found);
    CHECK(found->kind == one.kind);
    CHECK(found->stem == one.stem);
  }
}

TEST_CASE("files of other programs are not recognised") {
  for (const char* name : {"config.yml", "cert.pem", "-token", "-cf_key", "a.lock", "notes.url",
                           ".hidden-token", ".mayfly-.tmp", "x.tmp", ".mayfly-lock", ""}) {
    CAPTURE(name);
    CHECK_FALSE(recognise(name));
  }
}

TEST_CASE("an org token ends like an app token, too") {
  CHECK(stem_of(StateFile::app_token, "a-org-token") == "a-org");
  CHECK(stem_of(StateFile::org_token, "a-token") == std::nullopt);
}

TEST_CASE("a stem that makes no file name is refused") {
  CHECK(state_name(StateFile::application, "a/b*") == "a-b--app");
  CHECK_THROWS_AS(state_name(StateFile::lock, std::string(255, 'a')), Error);
  CHECK_THROWS_AS(state_name(StateFile::private_key, "."), Error);
}
