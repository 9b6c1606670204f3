// The names are those of the state files; tests/e2e/test_host_keys.py has the real ssh.
#include "sshconfig/host_keys.hpp"

#include <doctest/doctest.h>

#include "sshconfig/render.hpp"

namespace mayfly::sshconfig {
namespace {

BlockOptions pinned(const std::string& host) {
  BlockOptions options;
  options.program = "/m";
  options.host = host;
  options.host_keys = BlockOptions::HostKeys{"~/.ssh/mayfly_known_hosts", HostKeyTrust::first};
  return options;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("host keys: each application has a name of its own") {
  CHECK(host_key_name("vm.example.com") == "vm.example.com");
  CHECK(host_key_name("vm.example.com/admin") == "vm.example.com-admin");
  CHECK(host_key_name("*.example.com") == "*.example.com");
  CHECK(host_key_name("*.example.com/admin") == "*.example.com");
}

TEST_CASE("host keys: every part of a block sets the same trust") {
  BlockOptions options = pinned("vm.example.com");
  options.certificate = BlockOptions::Certificate::short_lived;
  options.fallback = BlockOptions::Fallback::tunnel;
  const std::string block = render_block(options);
  const std::string lines =
      host_key_lines("vm.example.com", "~/.ssh/mayfly_known_hosts", HostKeyTrust::first);
  const auto first = block.find(lines);
  REQUIRE(first != std::string::npos);
  CHECK(contains(block.substr(first + lines.size()), lines));
  CHECK(contains(lines, "  HostKeyAlias vm.example.com\n"));
  CHECK(contains(lines, "  StrictHostKeyChecking accept-new\n"));
}

TEST_CASE("host keys: a wildcard has no alias, as ssh knows the host") {
  CHECK_FALSE(contains(render_block(pinned("*.example.com")), "HostKeyAlias"));
}

TEST_CASE("host keys: with a CA no unknown key is accepted") {
  BlockOptions options = pinned("vm.example.com");
  options.host_keys->trust = HostKeyTrust::certified;
  CHECK(contains(render_block(options), "  StrictHostKeyChecking yes\n"));
}

TEST_CASE("host keys: the CAs of one application are replaced, and nothing else") {
  const std::string others =
      "vm.example.com ssh-ed25519 AAAA\n@cert-authority vm.example.com-admin ssh-rsa AAAA\n";
  const std::string one = with_host_authorities(others, "vm.example.com", {"ssh-ed25519 B x"});
  CHECK(one == others + "@cert-authority vm.example.com ssh-ed25519 B x\n");
  CHECK(with_host_authorities(one, "vm.example.com", {}) == others);
  CHECK(with_host_authorities("a b c", "vm", {"k"}) == "a b c\n@cert-authority vm k\n");
  CHECK(with_host_authorities("", "vm", {}) == "");
}

}  // namespace mayfly::sshconfig
