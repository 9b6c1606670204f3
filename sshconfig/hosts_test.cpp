#include "sshconfig/hosts.hpp"

#include <doctest/doctest.h>

#include "sshconfig/install.hpp"
#include "sshconfig/render.hpp"
#include "sshconfig/testing/scratch.hpp"

using namespace mayfly::sshconfig;

namespace {

using Hosts = std::vector<std::string>;

}  // namespace

TEST_CASE("hosts: finds the hosts behind a tunnel and no others") {
  struct Row {
    const char* config;
    Hosts hosts;
  };
  const Row rows[] = {
      {"", {}},
      {"Host github.com\n  User git\n", {}},
      {"Host gate\n  ProxyCommand ssh -W %h:%p gate.example.com\n", {}},
      // As cloudflared's own documentation has it.
      {"Host vm.example.com\n  ProxyCommand /usr/local/bin/cloudflared access ssh --hostname %h\n",
       {"vm.example.com"}},
      {"host vm.example.com *.example.com !bad.example.com\n\tproxycommand=cloudflared access ssh "
       "--hostname %h\n",
       {"vm.example.com"}},
      {"Match host vm.example.com exec \"/usr/bin/mayfly access ssh-gen --hostname %h\"\n",
       {"vm.example.com"}},
      {"Match originalhost vm,vm.example.com exec \"mayfly access ssh-gen --hostname "
       "vm.example.com\"\n",
       {"vm.example.com"}},
      {"Host *\n  ProxyCommand mayfly ssh -hostname=vm.example.com\n", {"vm.example.com"}},
      {"Host vm\n  ProxyCommand mayfly ssh --hostname 'vm.example.com/team' --batch\n",
       {"vm.example.com/team"}},
      {"# Host vm.example.com\n#  ProxyCommand mayfly ssh --hostname %h\n", {}},
      {"Host \"vm.example.com\"\r\n  ProxyCommand mayfly ssh --hostname %h\r\n",
       {"vm.example.com"}},
      {"Host [your hostname]\nProxyCommand mayfly ssh --hostname", {}},
      {"Host \"unclosed\nProxyCommand \"mayfly ssh --hostname", {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.config);
    CHECK(tunnelled_hosts(row.config) == row.hosts);
  }
}

TEST_CASE("hosts: finds the hosts of the blocks that ssh-config writes") {
  for (const char* host : {"vm.example.com", "vm.example.com/team"}) {
    BlockOptions options;
    options.program = "/opt/my fly/mayfly";
    options.host = host;
    options.alias = "vm";
    options.certificate = BlockOptions::Certificate::short_lived;
    const Hosts hosts = tunnelled_hosts(render_block(options));
    REQUIRE_FALSE(hosts.empty());
    for (const std::string& found : hosts) CHECK(found == host);
  }
}

TEST_CASE("hosts: included files are read, loops and missing ones passed over") {
  const ScratchDirectory scratch;
  const std::string proxy = "\n ProxyCommand mayfly ssh --hostname %h\n";
  put_file(scratch.path() + "/config", "Include mayfly_config conf.d/* missing\nInclude config\n");
  put_file(scratch.path() + "/mayfly_config", "Host one.example.com" + proxy);
  put_file(scratch.path() + "/conf.d/b", "Host two.example.com" + proxy);
  put_file(scratch.path() + "/conf.d/a",
           "Include \"" + scratch.path() + "/config\"\nHost one.example.com" + proxy);
  CHECK(configured_hosts(scratch.path()) == Hosts{"one.example.com", "two.example.com"});
  CHECK(configured_hosts(scratch.path() + "/none").empty());
}
