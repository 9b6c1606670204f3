// The real ssh, asked about configurations, and shells that must not log anybody in.
#include "sshconfig/ssh_query.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <cstdlib>

#include "sshconfig/match_exec.hpp"
#include "sshconfig/testing/scratch.hpp"

using namespace mayfly::sshconfig;
using Texts = std::vector<std::string>;

namespace {

// PATH leads to an ssh with this configuration, and SHELL to a stand-in as ours behaves.
class Configured {
 public:
  explicit Configured(const std::string& config) {
    put_file(directory_.path() + "/config", config);
    script("bin/ssh", fmt::format("exec /usr/bin/ssh -F {}/config \"$@\"", directory_.path()));
    script("stand-in", R"(case "$2" in
*ssh-gen*) echo "mayfly-match-exec: $2" >&2 ;;
*) exec "$MAYFLY_MATCH_EXEC_SHELL" "$@" ;;
esac)");
    ::setenv("PATH", (directory_.path() + "/bin:/usr/bin:/bin").c_str(), 1);
  }
  ~Configured() { ::setenv("PATH", path_before_.c_str(), 1); }
  Configured(const Configured&) = delete;
  Configured& operator=(const Configured&) = delete;

  SshAnswer ask(const std::string& host,
                std::chrono::milliseconds patience = std::chrono::seconds(60)) const {
    return ask_ssh({.host = host,
                    .variables = match_exec_variables(path("stand-in"), ""),
                    .patience = patience});
  }
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }

 private:
  void script(const std::string& name, const std::string& text) const {
    put_file(path(name), "#!/bin/sh\n" + text + "\n", 0755);
  }

  ScratchDirectory directory_;
  std::string path_before_ = std::getenv("PATH");
};

}  // namespace

TEST_CASE("ssh tells what a block of ours sets") {
  const Configured configured(
      R"(Match host vm.example.com exec "/opt/mayfly access ssh-gen --hostname %h"
  ProxyCommand '/opt/my fly/mayfly' access ssh --hostname %h
  IdentityFile ~/.cloudflared/%h-cf_key
  CertificateFile ~/.cloudflared/%h-cf_key-cert.pub
  User jdoe
)");
  const SshAnswer answer = configured.ask("vm.example.com");
  CHECK(answer.version.starts_with("OpenSSH_"));
  CHECK(answer.complaint.empty());
  CHECK(answer.ssh_gens == Texts{"/opt/mayfly access ssh-gen --hostname vm.example.com"});
  REQUIRE(answer.settings);
  CHECK(answer.settings->host_name == "vm.example.com");
  CHECK(answer.settings->user == "jdoe");
  CHECK(answer.settings->proxy_command == "'/opt/my fly/mayfly' access ssh --hostname %h");
  CHECK(answer.settings->identity_files == Texts{"~/.cloudflared/%h-cf_key"});
  CHECK(answer.settings->certificate_files == Texts{"~/.cloudflared/%h-cf_key-cert.pub"});

  const SshAnswer other = configured.ask("other.example.com");
  REQUIRE(other.settings);
  CHECK(other.settings->proxy_command.empty());
  CHECK(other.settings->certificate_files.empty());
  CHECK(other.ssh_gens.empty());
}

TEST_CASE("other Match exec are decided by what they run") {
  const Configured configured(R"(Match exec "false"
  User wrong
Match exec "test %h = vm.example.com"
  User right
)");
  const SshAnswer answer = configured.ask("vm.example.com");
  REQUIRE(answer.settings);
  CHECK(answer.settings->user == "right");
  CHECK(answer.ssh_gens.empty());
}

TEST_CASE("ssh's complaint about a configuration is shown") {
  const Configured broken("Host vm\n  Prxycommand x\n");
  const SshAnswer answer = broken.ask("vm");
  CHECK_FALSE(answer.settings);
  CHECK(answer.complaint ==
        fmt::format("{}: line 2: Bad configuration option: prxycommand", broken.path("config")));
}

TEST_CASE("a Match exec that hangs is left") {
  const Configured hangs("Match exec \"sleep 1000\"\n");
  const SshAnswer answer = hangs.ask("vm", std::chrono::milliseconds(300));
  CHECK_FALSE(answer.settings);
  CHECK(answer.complaint.find("Match exec") != std::string::npos);
}

TEST_CASE("a machine without ssh") {
  const Configured configured("");
  ::setenv("PATH", "/nonexistent", 1);
  CHECK(configured.ask("vm").version.empty());
}

TEST_CASE("which commands make a certificate") {
  CHECK(makes_certificate("/usr/bin/mayfly access ssh-gen --hostname vm"));
  CHECK(makes_certificate("'/opt/my fly/cloudflared' access ssh-gen --hostname vm"));
  CHECK(makes_certificate("HTTPS_PROXY=x mayfly ssh-gen --hostname vm"));
  CHECK_FALSE(makes_certificate("test -e ~/.ssh/ssh-gen"));
  CHECK_FALSE(makes_certificate("on-vpn"));
}

TEST_CASE("notes of the stand-in") {
  CHECK(noted_match_exec("mayfly-match-exec: a b") == "a b");
  CHECK(match_exec_note("a\nb") == "mayfly-match-exec: a b\n");
  CHECK(noted_match_exec("something else").empty());
}
