#include "sshconfig/render.hpp"

#include <doctest/doctest.h>

#include "access/core/error.hpp"

using namespace mayfly;
using namespace mayfly::sshconfig;
using Certificate = BlockOptions::Certificate;

namespace {

BlockOptions short_lived(std::string host) {
  return {.program = "/usr/bin/mayfly",
          .host = std::move(host),
          .certificate = Certificate::short_lived,
          .state_directory = {},
          .connection_flags = {},
          .user = {},
          .alias = {}};
}

// The message of the usage Error that rendering must throw.
std::string refusal(const BlockOptions& options) {
  try {
    render_block(options);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.message();
  }
  return "not refused";
}

}  // namespace

// The texts are those that mayfly-ssh-config(1) promises. cloudflared 2026.8.2 prints the same but
// for the blank line after "Add to your ...", and it does not quote.
TEST_CASE("render: with a short-lived certificate") {
  CHECK(render_advice(short_lived("vm.example.com"), "/home/jdoe") ==
        "\n"
        "Add to your /home/jdoe/.ssh/config:\n"
        "\n"
        "Match host vm.example.com exec \"/usr/bin/mayfly access ssh-gen --hostname %h\"\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --hostname %h\n"
        "  IdentityFile ~/.cloudflared/%h-cf_key\n"
        "  CertificateFile ~/.cloudflared/%h-cf_key-cert.pub\n"
        "  AddKeysToAgent no\n");
}

TEST_CASE("render: without a certificate") {
  BlockOptions options = short_lived("vm.example.com");
  options.certificate = Certificate::none;
  CHECK(render_advice(options, "/home/jdoe") ==
        "\n"
        "Add to your /home/jdoe/.ssh/config:\n"
        "\n"
        "Host vm.example.com\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --hostname %h\n"
        "\n");
}

TEST_CASE("render: without a host") {
  BlockOptions options = short_lived("");
  CHECK(render_block(options) ==
        "Match host [your hostname] exec \"/usr/bin/mayfly access ssh-gen --hostname %h\"\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --hostname %h\n"
        "  IdentityFile ~/.cloudflared/%h-cf_key\n"
        "  CertificateFile ~/.cloudflared/%h-cf_key-cert.pub\n"
        "  AddKeysToAgent no\n");
  options.certificate = Certificate::none;
  CHECK(render_block(options) ==
        "Host [your hostname]\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --hostname %h\n");
}

TEST_CASE("render: a certificate in the agent is named by its copy on disk") {
  BlockOptions options = short_lived("vm.example.com");
  options.certificate = Certificate::agent;
  CHECK(render_block(options) ==
        "Match host vm.example.com exec \"/usr/bin/mayfly access ssh-gen --agent --hostname %h\"\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --hostname %h\n"
        "  IdentityFile ~/.cloudflared/%h-agent-cert.pub\n"
        "  IdentityAgent SSH_AUTH_SOCK\n"
        "  AddKeysToAgent no\n");
}

TEST_CASE("render: the fallback keeps ssh in the tunnel without a certificate") {
  BlockOptions options = short_lived("vm.example.com");
  options.fallback = BlockOptions::Fallback::tunnel;
  options.user = "jdoe";
  const auto fallback = [&] {
    const auto block = render_block(options);
    const auto end = block.find("\n\n");
    REQUIRE(end != std::string::npos);
    return block.substr(end + 2);
  };
  CHECK(fallback() ==
        "# Without a certificate ssh stays in the tunnel.\n"
        "Host vm.example.com\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --batch --hostname %h\n"
        "  User jdoe\n");
  options.alias = "vm";
  options.connection_flags = {"--batch", "--cert", "/c.pem"};
  CHECK(
      fallback() ==
      "# Without a certificate ssh stays in the tunnel.\n"
      "Host vm vm.example.com\n"
      "  HostName vm.example.com\n"
      "  ProxyCommand /usr/bin/mayfly access ssh --hostname vm.example.com --batch --cert /c.pem\n"
      "  User jdoe\n");
  options.certificate = Certificate::none;
  CHECK(render_block(options).find("Without") == std::string::npos);
}

TEST_CASE("render: the type of the key is for ssh-gen alone") {
  BlockOptions options = short_lived("vm.example.com");
  options.key_type = "ed25519";
  CHECK(render_block(options) ==
        "Match host vm.example.com exec \"/usr/bin/mayfly access ssh-gen --key-type ed25519 "
        "--hostname %h\"\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --hostname %h\n"
        "  IdentityFile ~/.cloudflared/%h-cf_key\n"
        "  CertificateFile ~/.cloudflared/%h-cf_key-cert.pub\n"
        "  AddKeysToAgent no\n");
  options.certificate = Certificate::agent;
  CHECK(render_block(options).starts_with(
      "Match host vm.example.com exec \"/usr/bin/mayfly access ssh-gen --agent --key-type ed25519 "
      "--hostname %h\"\n"));
}

TEST_CASE("render: user and alias") {
  BlockOptions options = short_lived("vm.example.com");
  options.user = "jdoe";
  options.alias = "vm";
  CHECK(render_block(options) ==
        "Match originalhost vm,vm.example.com exec \"/usr/bin/mayfly access ssh-gen "
        "--hostname vm.example.com\"\n"
        "  HostName vm.example.com\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --hostname vm.example.com\n"
        "  IdentityFile ~/.cloudflared/vm.example.com-cf_key\n"
        "  CertificateFile ~/.cloudflared/vm.example.com-cf_key-cert.pub\n"
        "  AddKeysToAgent no\n"
        "  User jdoe\n");
  options.certificate = Certificate::none;
  CHECK(render_block(options) ==
        "Host vm vm.example.com\n"
        "  HostName vm.example.com\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --hostname vm.example.com\n"
        "  User jdoe\n");
}

TEST_CASE("render: an application on a path is named literally") {
  BlockOptions options = short_lived("VM.example.com/Team/a%20b");
  CHECK(render_block(options) ==
        "Match host vm.example.com exec \"/usr/bin/mayfly access ssh-gen "
        "--hostname vm.example.com/Team/a%%20b\"\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --hostname vm.example.com/Team/a%%20b\n"
        "  IdentityFile ~/.cloudflared/vm.example.com-Team-a%%20b-cf_key\n"
        "  CertificateFile ~/.cloudflared/vm.example.com-Team-a%%20b-cf_key-cert.pub\n"
        "  AddKeysToAgent no\n");
  options.alias = "team";
  CHECK(render_block(options).starts_with("Match originalhost team exec \""));
  CHECK(render_block(options).find("HostName") == std::string::npos);
}

TEST_CASE("render: an empty path counts as no path") {
  CHECK(render_block(short_lived("vm.example.com/")) ==
        render_block(short_lived("vm.example.com")));
}

// ssh's Host has a case, and people type host names in lower case.
TEST_CASE("render: a host is in lower case, whatever form names it") {
  BlockOptions options = short_lived("vm.example.com");
  BlockOptions plain = options, aliased = options;
  plain.certificate = Certificate::none;
  aliased.alias = "vm";
  for (const std::string host :
       {"VM.Example.com", "https://vm.example.com", "HTTPS://VM.example.com/",
        "http://vm.example.com", "vm.example.com.", "vm.example.com:443",
        "https://vm.example.com:443/#top"}) {
    CAPTURE(host);
    CHECK(block_host(host) == "vm.example.com");
    for (BlockOptions each : {options, plain, aliased}) {
      const std::string expected = render_block(each);
      each.host = host;
      CHECK(render_block(each) == expected);
    }
  }
  CHECK(block_host("https://VM.example.com/Team/") == "vm.example.com/Team/");
  CHECK(block_host("*.Example.com/Team") == "*.example.com/Team");
  CHECK(block_host("") == "");
  aliased.alias = "VM.example.com";
  CHECK(render_block(aliased).starts_with("Match originalhost VM.example.com,vm.example.com exec"));
}

TEST_CASE("render: wildcards leave the name to ssh") {
  CHECK(render_block(short_lived("*.example.com")) ==
        "Match host \"*.example.com,!*'*\" exec \"/usr/bin/mayfly access ssh-gen --hostname "
        "'%h' --matching '*.example.com'\"\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --hostname '%h' --matching '*.example.com'\n"
        "  IdentityFile ~/.cloudflared/%h-cf_key\n"
        "  CertificateFile ~/.cloudflared/%h-cf_key-cert.pub\n"
        "  AddKeysToAgent no\n");
  CHECK(render_block(short_lived("dev-*.example.com/git")) ==
        "Match host \"dev-*.example.com,!*'*\" exec \"/usr/bin/mayfly access ssh-gen --hostname "
        "'%h'/git --matching 'dev-*.example.com'/git\"\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --hostname '%h'/git --matching "
        "'dev-*.example.com'/git\n"
        "  IdentityFile ~/.cloudflared/%h-git-cf_key\n"
        "  CertificateFile ~/.cloudflared/%h-git-cf_key-cert.pub\n"
        "  AddKeysToAgent no\n");
}

TEST_CASE("render: a wildcard's Host line leaves out names with a quote, too") {
  BlockOptions options = short_lived("*.example.com");
  options.certificate = BlockOptions::Certificate::none;
  CHECK(render_block(options) ==
        "Host *.example.com \"!*'*\"\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --hostname '%h' --matching '*.example.com'\n");
}

TEST_CASE("render: an international name in the form that goes over the wire") {
  // RFC 5891's own way to write it; the value is from `idn2 bücher.example`.
  CHECK(render_block(short_lived("b\xc3\xbc"
                                 "cher.example"))
            .starts_with("Match host xn--bcher-kva.example exec "));
}

TEST_CASE("render: MAYFLY_HOME and connection flags") {
  BlockOptions options = short_lived("vm.example.com");
  options.state_directory = "/srv/my state/50%";
  options.connection_flags = {"--cert", "/etc/my cert.pem", "--service-token-id", "abc.access"};
  CHECK(render_block(options) ==
        "Match host vm.example.com exec \"/usr/bin/mayfly access ssh-gen --hostname %h "
        "--cert '/etc/my cert.pem' --service-token-id abc.access\"\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --hostname %h "
        "--cert '/etc/my cert.pem' --service-token-id abc.access\n"
        "  IdentityFile \"/srv/my state/50%%/%h-cf_key\"\n"
        "  CertificateFile \"/srv/my state/50%%/%h-cf_key-cert.pub\"\n"
        "  AddKeysToAgent no\n");
}

TEST_CASE("render: a text that is not a host name is refused and shown harmlessly") {
  for (const std::string host : {"-oProxyCommand=id",
                                 "vm.example.com exec id",
                                 "vm\nHost *",
                                 "a,b",
                                 "!vm",
                                 "a\"b",
                                 "a'b",
                                 "$(id)",
                                 "`id`",
                                 "vm..com",
                                 "*",
                                 "*.*",
                                 "v*",
                                 "?.example.com",
                                 "vm.example.com:22",
                                 "https://vm.example.com:8443/",
                                 "ftp://vm.example.com",
                                 "https://*.example.com",
                                 "https://[::1]/",
                                 "/path",
                                 "vm.example.com/a b",
                                 "vm.example.com/a\"b",
                                 "vm.example.com/a?b",
                                 "user@vm.example.com"}) {
    CAPTURE(host);
    CHECK(refusal(short_lived(host)).find("not refused") == std::string::npos);
  }
  CHECK(refusal(short_lived("a\x1b[2J")).starts_with("\"a\\x1b[2J\" is no application URL"));
  CHECK(refusal(short_lived("vm.example.com:22")) ==
        "no ssh_config block can be for vm.example.com:22: it names a port");
}

TEST_CASE("render: aliases and users that cannot stand there are refused") {
  BlockOptions options = short_lived("vm.example.com");
  for (const std::string alias : {"", "*", "a b", "a,b", "!a", "-a", "a/b"}) {
    options.alias = alias;
    CHECK(refusal(options).find("cannot be an alias") != std::string::npos);
  }
  options.alias.reset();
  for (const std::string user : {"", "-l", "a b", "$(id)", "a;b", "%r", "a\nb", "'"}) {
    options.user = user;
    CHECK(refusal(options).find("is not a user name") != std::string::npos);
  }
  options.user.reset();
  options.host = "*.example.com";
  options.alias = "vm";
  CHECK(refusal(options) == "an alias stands for one host, and *.example.com is a wildcard");
  options.host = "";
  CHECK(refusal(options) == "an alias needs the host that it stands for");
}

TEST_CASE("render: a secret is never written down") {
  BlockOptions options = short_lived("vm.example.com");
  for (const std::string flag : {"--service-token-secret", "--secret", "--secret=s3cret"}) {
    options.connection_flags = {flag, "s3cret"};
    const std::string message = refusal(options);
    CHECK(message.find("secret is not written") != std::string::npos);
    CHECK(message.find("s3cret") == std::string::npos);
  }
}

TEST_CASE("render: the settings for ssh's option -o name the application literally") {
  BlockOptions options = short_lived("vm.example.com");
  options.user = "jane";
  CHECK(block_settings(options) ==
        std::vector<std::string>{
            "HostName vm.example.com",
            "ProxyCommand /usr/bin/mayfly access ssh --hostname vm.example.com",
            "IdentityFile ~/.cloudflared/vm.example.com-cf_key",
            "CertificateFile ~/.cloudflared/vm.example.com-cf_key-cert.pub",
            "AddKeysToAgent no",
            "User jane",
        });
  options.host = "*.example.com";
  CHECK_THROWS_AS(block_settings(options), Error);
  options.host = "vm.example.com";
  options.user = "-oProxyCommand=x";
  CHECK_THROWS_AS(block_settings(options), Error);
}

TEST_CASE("render: a shared connection") {
  BlockOptions options = short_lived("vm.example.com");
  options.certificate = Certificate::none;
  options.multiplexing = {.persist = "10m", .directory = "/home/jdoe/.cloudflared/ssh"};
  CHECK(render_block(options) ==
        "Host vm.example.com\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --control-directory /home/jdoe/.cloudflared/ssh "
        "--hostname %h\n"
        "  ControlMaster auto\n"
        "  ControlPath /home/jdoe/.cloudflared/ssh/%C\n"
        "  ControlPersist 10m\n");
}

// ssh computes %C for the Match exec from the user and the host name that it has read before.
TEST_CASE("render: a shared connection with certificates sets the user before the Match") {
  BlockOptions options = short_lived("vm.example.com");
  options.multiplexing = {.persist = "1h", .directory = "/home/5 % o'brien/ssh"};
  options.user = "jdoe";
  options.alias = "vm";
  options.fallback = BlockOptions::Fallback::tunnel;
  const std::string program = "/usr/bin/mayfly access ";
  const std::string word = R"('/home/5 %% o'$(printf '\047')'brien/ssh')";
  CHECK(render_block(options) ==
        "Host vm vm.example.com\n"
        "  HostName vm.example.com\n"
        "  ControlMaster auto\n"
        "  ControlPath \"/home/5 %% o'brien/ssh/%C\"\n"
        "  ControlPersist 1h\n"
        "  User jdoe\n"
        "Match originalhost vm,vm.example.com exec \"" +
            program + "ssh-gen --control-path " + word +
            "/%C --hostname vm.example.com\"\n"
            "  HostName vm.example.com\n"
            "  ProxyCommand " +
            program + "ssh --control-directory " + word +
            " --hostname vm.example.com\n"
            "  IdentityFile ~/.cloudflared/vm.example.com-cf_key\n"
            "  CertificateFile ~/.cloudflared/vm.example.com-cf_key-cert.pub\n"
            "  AddKeysToAgent no\n"
            "  User jdoe\n"
            "\n# Without a certificate ssh stays in the tunnel.\n"
            "Host vm vm.example.com\n"
            "  HostName vm.example.com\n"
            "  ProxyCommand " +
            program + "ssh --batch --control-directory " + word +
            " --hostname vm.example.com\n"
            "  User jdoe\n");
}

TEST_CASE("render: a key of the person's own") {
  BlockOptions options = short_lived("vm.example.com");
  options.certificate = Certificate::own_key;
  options.own_key = {"/home/jdoe/my keys/id.pub", "/home/jdoe/my keys/id"};
  CHECK(render_block(options) ==
        "Match host vm.example.com exec \"/usr/bin/mayfly access ssh-gen --public-key "
        "'/home/jdoe/my keys/id.pub' --hostname %h\"\n"
        "  ProxyCommand /usr/bin/mayfly access ssh --hostname %h\n"
        "  IdentityFile \"/home/jdoe/my keys/id\"\n"
        "  CertificateFile ~/.cloudflared/%h-own_key-cert.pub\n"
        "  AddKeysToAgent no\n");
}

TEST_CASE("render: an agent that asks at each use") {
  BlockOptions options = short_lived("vm.example.com");
  options.certificate = Certificate::agent;
  options.confirms = true;
  CHECK(render_block(options).starts_with(
      "Match host vm.example.com exec \"/usr/bin/mayfly access ssh-gen --agent-confirm "
      "--hostname %h\"\n"));
}
