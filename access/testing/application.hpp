// The application vm.example.com and its team, as a finder of applications meets them.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>

#include "access/identity/application.hpp"
#include "access/testing/access.hpp"
#include "access/testing/tokens.hpp"

namespace mayfly::test {

inline constexpr auto kApp = "https://vm.example.com";
inline constexpr auto kCerts = "https://team.cloudflareaccess.com/cdn-cgi/access/certs";
inline constexpr auto kKeysFile = "team.cloudflareaccess.com-jwks";
inline constexpr auto kRecord = "vm.example.com-app";

struct ApplicationWorld {
  TemporaryState state;
  ScriptedSend edge;
  Send send = edge.send();
  ApplicationFinder finder{state.directory(), send};
  std::chrono::sys_seconds now = system_now();

  ApplicationWorld() {
    serve(team_key().sign(metadata_claims(now)));
    serve_keys(team_key());
  }
  void serve(const std::string& metadata) {
    edge.on(kApp,
            answer(302, {{"CF-Access-Metadata", metadata}, {"Location", "/cdn-cgi/access/login"}}));
  }
  void serve_keys(const SigningKey& key) { edge.on(kCerts, answer(200, {}, key_set({key.jwk()}))); }
  void store_keys(const SigningKey& key, std::chrono::seconds age) {
    state.directory().write(kKeysFile, key_set({key.jwk()}));
    state.set_age(kKeysFile, age);
  }
  std::optional<Application> find() { return finder.find(test_url(), now).application; }

  // Refused as not what Access sends, and nothing is left on disk.
  void check_refused(const std::string& metadata) {
    serve(metadata);
    const auto before = state.names();
    const Error error = error_of([&] { find(); });
    CHECK(error.kind() == ErrorKind::protocol);
    CHECK(state.names() == before);
    CHECK_FALSE(finder.known(test_url(), now));
  }
};

}  // namespace mayfly::test
