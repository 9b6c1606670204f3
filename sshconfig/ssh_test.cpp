// What ssh itself makes of our blocks: which commands it runs, with which arguments and files.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/wait.h>
#include <unistd.h>

#include "access/core/text.hpp"
#include "access/system/descriptor.hpp"
#include "sshconfig/install.hpp"
#include "sshconfig/quote.hpp"
#include "sshconfig/render.hpp"
#include "sshconfig/testing/scratch.hpp"

using namespace mayfly;
using namespace mayfly::sshconfig;
using Certificate = BlockOptions::Certificate;

namespace {

struct Finished {
  int status;
  std::string output;  // of both streams
};

Finished run(std::vector<std::string> arguments, const std::string& shell = "/bin/sh") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const Descriptor reader(ends[0]);
  Descriptor writer(ends[1]);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, 0);
    ::dup2(writer.get(), 1);
    ::dup2(writer.get(), 2);
    ::setenv("SHELL", shell.c_str(), 1);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  writer = Descriptor();
  Finished result{};
  char piece[4096];
  ssize_t got = 0;
  while ((got = ::read(reader.get(), piece, sizeof piece)) > 0) {
    result.output.append(piece, static_cast<std::size_t>(got));
  }
  REQUIRE(::waitpid(child, &result.status, 0) == child);
  return result;
}

Finished run_ssh(std::vector<std::string> arguments, const std::string& shell = "/bin/sh") {
  arguments.insert(arguments.begin(), {"ssh", "-o", "BatchMode=yes"});
  return run(std::move(arguments), shell);
}

// A mayfly that writes down how it was called, and lets every Match succeed.
class Recorder {
 public:
  explicit Recorder(const std::string& folder = "bin")
      : program_(scratch_.path() + "/" + folder + "/mayfly"), record_(scratch_.path() + "/record") {
    put_file(program_,
             "#!/bin/sh\nfor word in \"$0\" \"$@\"; do printf '%s\\n' \"$word\"; done >>" +
                 record_ + "\n",
             0700);
  }

  const std::string& program() const { return program_; }
  std::string path(const std::string& name) const { return scratch_.path() + "/" + name; }

  std::string called_with(const std::vector<std::string>& words) const {
    return fmt::format("{}\n{}\n", program_, fmt::join(words, "\n"));
  }
  std::string take_record() const {
    const std::string calls = content_of(record_);
    std::filesystem::remove(record_);
    return calls;
  }
  BlockOptions options(const std::string& host) const {
    return {.program = program_,
            .host = host,
            .certificate = Certificate::short_lived,
            .state_directory = {},
            .connection_flags = {},
            .user = {},
            .alias = {}};
  }
  std::string write_config(const BlockOptions& options) const {
    put_file(path("config"), render_block(options));
    return path("config");
  }

 private:
  ScratchDirectory scratch_;
  std::string program_, record_;
};

// Exit code 0, and this line in the output of ssh -G.
void check_seen(const Finished& ssh, const std::string& line) {
  CAPTURE(ssh.output);
  CHECK(ssh.status == 0);
  CHECK(("\n" + ssh.output).find("\n" + line + "\n") != std::string::npos);
}

const std::vector<std::string> odd_folders = {
    "my programs",
    "it's",
    "a \"quoted\" name",
    "back\\slash",
    "end\\",
    "two\\\\three",
    "\\'\"",
    "$HOME",
    "`id`",
    "50%h",
    "%%",
    "# not a comment",
    "semi;colon",
    "a&b|c>d",
    "(paren)",
    "star*[a-z]?",
    "tilde~",
    "b\xc3\xbc"
    "cher",
    "= equals",
    "!history",
    "{a,b}",
    "trailing ",
};

}  // namespace

TEST_CASE("ssh: runs ssh-gen and the tunnel from the block") {
  const Recorder mayfly;
  const std::string config = mayfly.write_config(mayfly.options("vm.example.com"));
  const Finished seen = run_ssh({"-G", "-F", config, "vm.example.com"});
  check_seen(seen, "identityfile ~/.cloudflared/%h-cf_key");
  check_seen(seen, "certificatefile ~/.cloudflared/%h-cf_key-cert.pub");
  const std::string generate =
      mayfly.called_with({"access", "ssh-gen", "--hostname", "vm.example.com"});
  CHECK(mayfly.take_record() == generate);

  run_ssh({"-F", config, "vm.example.com", "true"});
  CHECK(mayfly.take_record() ==
        generate + mayfly.called_with({"access", "ssh", "--hostname", "vm.example.com"}));

  run_ssh({"-G", "-F", config, "other.example.com"});
  CHECK(mayfly.take_record().empty());
}

TEST_CASE("ssh: program, flags and files with odd names arrive whole") {
  for (const std::string& folder : odd_folders) {
    for (const std::string shell : {"/bin/sh", "/bin/bash"}) {
      CAPTURE(folder);
      CAPTURE(shell);
      const Recorder mayfly(folder);
      BlockOptions options = mayfly.options("vm.example.com");
      options.connection_flags = {"--cert", mayfly.path(folder) + "/c.pem"};
      const std::string config = mayfly.write_config(options);
      const Finished ssh = run_ssh({"-F", config, "vm.example.com", "true"}, shell);
      CAPTURE(ssh.output);
      const auto call = [&](const std::string& command) {
        return mayfly.called_with({"access", command, "--hostname", "vm.example.com", "--cert",
                                   mayfly.path(folder) + "/c.pem"});
      };
      CHECK(mayfly.take_record() == call("ssh-gen") + call("ssh"));
    }
  }
}

TEST_CASE("ssh: finds the files of a state directory with an odd name") {
  const Recorder mayfly;
  const std::string key = mayfly.path("key");
  REQUIRE(run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key}).status == 0);
  for (const std::string& folder : odd_folders) {
    CAPTURE(folder);
    BlockOptions options = mayfly.options("vm.example.com");
    options.state_directory = mayfly.path("state/" + folder);
    put_file(options.state_directory + "/vm.example.com-cf_key", content_of(key));
    put_file(options.state_directory + "/vm.example.com-cf_key.pub", content_of(key + ".pub"));
    const std::string config = mayfly.write_config(options);
    const Finished ssh = run_ssh({"-v", "-F", config, "vm.example.com", "true"});
    CAPTURE(ssh.output);
    // A file that is not there is of type -1.
    CHECK(ssh.output.find("/vm.example.com-cf_key type ") != std::string::npos);
    CHECK(ssh.output.find("/vm.example.com-cf_key type -1") == std::string::npos);
    const Finished seen = run_ssh({"-G", "-F", config, "vm.example.com"});
    CHECK(seen.output.find("\ncertificatefile /") != std::string::npos);
  }
}

TEST_CASE("ssh: an alias stands for the real host, which works as well") {
  const Recorder mayfly;
  BlockOptions options = mayfly.options("vm.example.com");
  options.alias = "vm";
  options.user = "CORP\\jdoe";
  const std::string calls =
      mayfly.called_with({"access", "ssh-gen", "--hostname", "vm.example.com"}) +
      mayfly.called_with({"access", "ssh", "--hostname", "vm.example.com"});
  for (const std::string name : {"vm", "VM", "vm.example.com"}) {
    const std::string config = mayfly.write_config(options);
    const Finished seen = run_ssh({"-G", "-F", config, name});
    check_seen(seen, "hostname vm.example.com");
    check_seen(seen, "user CORP\\jdoe");
    check_seen(seen, "identityfile ~/.cloudflared/vm.example.com-cf_key");
    mayfly.take_record();
    run_ssh({"-F", config, name, "true"});
    CHECK(mayfly.take_record() == calls);
  }
  options.certificate = Certificate::none;
  const std::string config = mayfly.write_config(options);
  check_seen(run_ssh({"-G", "-F", config, "vm"}), "hostname vm.example.com");
  run_ssh({"-F", config, "vm", "true"});
  CHECK(mayfly.take_record() ==
        mayfly.called_with({"access", "ssh", "--hostname", "vm.example.com"}));
}

TEST_CASE("ssh: applications on paths and behind wildcards") {
  const Recorder mayfly;
  std::string config = mayfly.write_config(mayfly.options("vm.example.com/a%20b/(c)&'d'"));
  check_seen(run_ssh({"-G", "-F", config, "vm.example.com"}),
             "identityfile ~/.cloudflared/vm.example.com-a%%20b-(c)&'d'-cf_key");
  CHECK(mayfly.take_record() ==
        mayfly.called_with({"access", "ssh-gen", "--hostname", "vm.example.com/a%20b/(c)&'d'"}));

  config = mayfly.write_config(mayfly.options("*.example.com/git"));
  check_seen(run_ssh({"-G", "-F", config, "a.example.com"}),
             "identityfile ~/.cloudflared/%h-git-cf_key");
  CHECK(mayfly.take_record() ==
        mayfly.called_with({"access", "ssh-gen", "--hostname", "a.example.com/git", "--matching",
                            "*.example.com/git"}));
  run_ssh({"-G", "-F", config, "example.com"});
  CHECK(mayfly.take_record().empty());
}

// CVE-2023-51385. ssh refuses such a name on its command line since 9.6, and takes it in HostName
// still.
TEST_CASE("ssh: a hostile name behind a wildcard is one word for the shell, or not for the block") {
  const Recorder mayfly;
  const auto calls_for = [&](const std::string& name) {
    const std::string config = mayfly.write_config(mayfly.options("*.example.com"));
    run({"env", "-C", mayfly.path(""), "ssh", "-o", "BatchMode=yes", "-F", config, "-o",
         "HostName=" + config_word(name), "-o", "ConnectTimeout=1", "x", "true"});
    CHECK_FALSE(std::filesystem::exists(mayfly.path("marker")));
    return mayfly.take_record();
  };
  for (const char* text : {";touch marker;", "$(touch marker)", "`touch marker`", "|touch marker|",
                           "&touch marker&", "\"touch marker\"", ">marker;", "\\;touch marker;"}) {
    const std::string name = std::string("a") + text + "b.example.com";
    CAPTURE(name);
    CHECK(calls_for(name) == mayfly.called_with({"access", "ssh-gen", "--hostname", name,
                                                 "--matching", "*.example.com"}) +
                                 mayfly.called_with({"access", "ssh", "--hostname", name,
                                                     "--matching", "*.example.com"}));
  }
  CHECK(calls_for("a';touch marker;'b.example.com").empty());
}

TEST_CASE("ssh: a certificate in the agent") {
  const Recorder mayfly;
  BlockOptions options = mayfly.options("vm.example.com");
  options.certificate = Certificate::agent;
  const Finished seen = run_ssh({"-G", "-F", mayfly.write_config(options), "vm.example.com"});
  CHECK(seen.output.find("\ncertificatefile") == std::string::npos);
  check_seen(seen, "identityfile ~/.cloudflared/%h-agent-cert.pub");
  check_seen(seen, "identityagent SSH_AUTH_SOCK");
  CHECK(mayfly.take_record() ==
        mayfly.called_with({"access", "ssh-gen", "--agent", "--hostname", "vm.example.com"}));
}

TEST_CASE("ssh: reads an installed block, and no longer after its removal") {
  const Recorder mayfly;
  const InstallPaths paths{.ssh_directory = mayfly.path("a home/.ssh")};
  const std::string config = paths.ssh_directory + "/config";
  put_file(config, "Host vm.example.com\n  Port 2222\n\nMatch all\n  User nobody\n");
  BlockOptions options = mayfly.options("vm.example.com");
  options.user = "jdoe";
  carry_out(plan_install(paths, "vm.example.com", render_block(options)));
  const Finished seen = run_ssh({"-G", "-F", config, "vm.example.com"});
  check_seen(seen, "user jdoe");
  check_seen(seen, "port 2222");
  check_seen(run_ssh({"-G", "-F", config, "other.example.com"}), "user nobody");
  CHECK(mayfly.take_record() ==
        mayfly.called_with({"access", "ssh-gen", "--hostname", "vm.example.com"}));

  carry_out(plan_removal(paths, "vm.example.com"));
  check_seen(run_ssh({"-G", "-F", config, "vm.example.com"}), "user nobody");
  CHECK(mayfly.take_record().empty());
}
