#include "cli/doctor/ssh.hpp"

#include <doctest/doctest.h>

using namespace mayfly;
using namespace mayfly::cli::doctor;
using namespace std::chrono_literals;
using sshconfig::SshAnswer;
using sshconfig::SshSettings;
using State = CheckResult::State;
using Kept = SshRoute::Certificate;

namespace {

const std::chrono::sys_seconds now{1'700'000'000s};
const SshTarget target{.url = {.host = "vm.example.com", .path = "", .query = ""},
                       .typed = "vm.example.com",
                       .home = "/home/me",
                       .state_directory = "/home/me/.cloudflared"};

// What ssh -G says of a block that ssh-config --short-lived-cert prints.
SshAnswer block() {
  return {.version = "OpenSSH_9.2p1",
          .settings = SshSettings{.host_name = "vm.example.com",
                                  .user = "me",
                                  .proxy_command = "/usr/bin/mayfly access ssh --hostname %h",
                                  .proxy_jump = "",
                                  .identity_files = {"~/.cloudflared/%h-cf_key"},
                                  .certificate_files = {"~/.cloudflared/%h-cf_key-cert.pub"}},
          .complaint = "",
          .ssh_gens = {"/usr/bin/mayfly access ssh-gen --hostname vm.example.com"}};
}

CheckResult judged(const SshAnswer& answer, ProgramState program = ProgramState::there,
                   Origin origin = Origin::ssh_server) {
  const SshRoute route = ssh_route(target, answer);
  return judge_ssh_config(target, {answer, route, program, origin});
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

sshgen::Certificate certificate(std::chrono::seconds left) {
  sshgen::Certificate made;
  made.principals = {"me", "root"};
  made.valid_after = static_cast<std::uint64_t>((now - 1h).time_since_epoch().count());
  made.valid_before = static_cast<std::uint64_t>((now + left).time_since_epoch().count());
  return made;
}

}  // namespace

TEST_CASE("doctor: the route of a good block") {
  const SshRoute route = ssh_route(target, block());
  CHECK(route.program == "/usr/bin/mayfly");
  CHECK(route.leads_to == "vm.example.com");
  CHECK(route.certificate == Kept::disk);
  CHECK(route.renews);
  CHECK(route.reads_certificate);
  CHECK(route.reads_key);
  CHECK(judged(block()).state == State::ok);
  CHECK(judged(block()).detail ==
        "OpenSSH_9.2p1: ProxyCommand /usr/bin/mayfly, short-lived certificate on disk");
}

TEST_CASE("doctor: a program in a directory with a quote and a percent sign") {
  SshAnswer answer = block();
  answer.settings->proxy_command =
      R"('/home/o'$(printf '\047')'brien 5%%/mayfly' access ssh --hostname %h)";
  answer.ssh_gens = {
      R"('/home/o'$(printf '\047')'brien 5%%/mayfly' access ssh-gen --agent --hostname x)"};
  const SshRoute route = ssh_route(target, answer);
  CHECK(route.program == "/home/o'brien 5%/mayfly");
  CHECK(route.leads_to == "vm.example.com");
  CHECK(route.certificate == Kept::agent);
}

TEST_CASE("doctor: the flag of the host in all its forms") {
  SshAnswer answer = block();
  for (const char* flag : {"--hostname ", "-hostname=", "--tunnel-host=", "-tunnel-host ", "-T "}) {
    CAPTURE(flag);
    answer.settings->proxy_command =
        std::string("cloudflared access ssh ") + flag + "other.example.com";
    CHECK(ssh_route(target, answer).leads_to == "other.example.com");
  }
}

TEST_CASE("doctor: a block for an agent, and one without certificates") {
  SshAnswer answer = block();
  answer.settings->certificate_files.clear();
  answer.settings->identity_files = {"~/.ssh/id_ed25519"};
  answer.ssh_gens = {"/usr/bin/mayfly access ssh-gen --agent --hostname vm.example.com"};
  CHECK(ssh_route(target, answer).certificate == Kept::agent);
  CHECK(judged(answer).state == State::ok);
  answer.ssh_gens.clear();
  CHECK(ssh_route(target, answer).certificate == Kept::none);
  CHECK(judged(answer).state == State::ok);
}

TEST_CASE("doctor: ssh that is not there, or cannot read its configuration") {
  CHECK(judged({}).state == State::not_needed);
  SshAnswer broken{
      .version = "OpenSSH_9.2p1", .settings = {}, .complaint = "line 3: bad", .ssh_gens = {}};
  CHECK(judged(broken).state == State::failed);
  CHECK(judged(broken).kind == ErrorKind::failed);
  CHECK(holds(judged(broken).detail, "line 3: bad"));
}

TEST_CASE("doctor: a host without a ProxyCommand matters when it speaks ssh") {
  SshAnswer answer = block();
  answer.settings->proxy_command.clear();
  CHECK(judged(answer).state == State::warning);
  CHECK(holds(judged(answer).hint, "ssh-config --hostname vm.example.com"));
  CHECK(judged(answer, ProgramState::unknown, Origin::other).state == State::not_needed);
  CHECK(judged(answer, ProgramState::unknown, Origin::unknown).state == State::not_needed);
}

TEST_CASE("doctor: ProxyCommands that do not lead there") {
  CHECK(judged(block(), ProgramState::missing).state == State::failed);
  CHECK(
      holds(judged(block(), ProgramState::missing).detail, "/usr/bin/mayfly, which is not there"));

  SshAnswer other = block();
  other.settings->proxy_command = "nc -X 5 %h %p";
  CHECK(judged(other).state == State::warning);
  CHECK(holds(judged(other).detail, "by nc"));

  SshAnswer elsewhere = block();
  elsewhere.settings->host_name = "10.0.0.5";
  CHECK(judged(elsewhere).state == State::failed);
  CHECK(holds(judged(elsewhere).detail, "leads to 10.0.0.5"));
  elsewhere.settings->proxy_command = "cloudflared access ssh --hostname=VM.example.com";
  elsewhere.settings->identity_files = {"%d/.cloudflared/%n-cf_key"};
  elsewhere.settings->certificate_files = {"%d/.cloudflared/%n-cf_key-cert.pub"};
  CHECK(judged(elsewhere).state == State::ok);
}

TEST_CASE("doctor: certificates that ssh does not find") {
  SshAnswer elsewhere = block();
  elsewhere.settings->certificate_files = {"/other/vm.example.com-cf_key-cert.pub"};
  CHECK(judged(elsewhere).state == State::failed);
  CHECK(holds(judged(elsewhere).detail, "/other/vm.example.com-cf_key-cert.pub"));
  CHECK(holds(judged(elsewhere).detail, "/home/me/.cloudflared/vm.example.com-cf_key-cert.pub"));

  SshAnswer none = block();
  none.settings->certificate_files.clear();
  CHECK(judged(none).state == State::failed);
  SshAnswer no_key = block();
  no_key.settings->identity_files = {"~/.ssh/id_rsa"};
  CHECK(judged(no_key).state == State::failed);
  CHECK(holds(judged(no_key).detail, "IdentityFile"));
  SshAnswer not_renewed = block();
  not_renewed.ssh_gens.clear();
  CHECK(judged(not_renewed).state == State::warning);
}

TEST_CASE("doctor: the certificate on disk") {
  using OnDisk = sshgen::OnDisk;
  const auto judge = [&](const SshRoute& route, OnDisk::State state) {
    OnDisk on_disk{state, std::nullopt};
    if (state == OnDisk::State::valid) on_disk.certificate = certificate(200s);
    return judge_ssh_certificate(target.url, route, on_disk, now);
  };
  SshRoute renewed{.certificate = Kept::disk, .renews = true, .reads_certificate = true};
  CHECK(judge(renewed, OnDisk::State::valid).state == State::ok);
  CHECK(judge(renewed, OnDisk::State::valid).detail == "for me, root, ends in 3 min");
  for (const auto state : {OnDisk::State::absent, OnDisk::State::ended, OnDisk::State::mismatched})
    CHECK(judge(renewed, state).state == State::not_needed);
  SshRoute left = renewed;
  left.renews = false;
  for (const auto state : {OnDisk::State::absent, OnDisk::State::ended, OnDisk::State::mismatched})
    CHECK(judge(left, state).state == State::warning);
  CHECK(judge({}, OnDisk::State::absent).state == State::not_needed);
  CHECK(judge({}, OnDisk::State::ended).state == State::not_needed);
}

TEST_CASE("doctor: the agent") {
  const SshRoute without, with{.certificate = Kept::agent, .renews = true};
  const AgentFacts none, dead{.is_named = true, .error = Error(ErrorKind::failed, "gone", "look")};
  CHECK(judge_agent(without, none, now).state == State::not_needed);
  CHECK(judge_agent(with, none, now).state == State::failed);
  CHECK(judge_agent(without, dead, now).state == State::warning);
  CHECK(holds(judge_agent(without, dead, now).detail, "gone"));
  CHECK(judge_agent(with, dead, now).state == State::failed);

  AgentFacts alive{.is_named = true, .keys = 2};
  CHECK(judge_agent(without, alive, now).state == State::ok);
  CHECK(holds(judge_agent(with, alive, now).detail, "no certificate yet"));
  alive.ours = certificate(100s);
  CHECK(holds(judge_agent(with, alive, now).detail, "for me, root, ends in 1 min"));
}

TEST_CASE("doctor: a shared connection") {
  using Directory = ControlFacts::Directory;
  const SshAnswer answer = block();
  const SshRoute route = ssh_route(target, answer);
  const auto judge = [&](const ControlFacts& control) {
    return judge_ssh_config(target,
                            {answer, route, ProgramState::there, Origin::ssh_server, control});
  };
  ControlFacts control{.path = "/home/me/.cloudflared/ssh/abc",
                       .directory = Directory::private_to_user};
  CHECK(judge(control).state == State::ok);
  CHECK(holds(judge(control).detail, ", in a shared connection"));
  control.is_running = true;
  CHECK(holds(judge(control).detail, ", in a shared connection that is open"));
  control.directory = Directory::made_by_tunnel;
  CHECK(judge(control).state == State::ok);
  control.directory = Directory::open_to_others;
  CHECK(judge(control).state == State::warning);
  CHECK(holds(judge(control).hint, "chmod 700 /home/me/.cloudflared/ssh"));
  control.directory = Directory::missing;
  CHECK(judge(control).state == State::failed);
  CHECK(holds(judge(control).hint, "mkdir -m 700 /home/me/.cloudflared/ssh"));
  control.fits = false;
  CHECK(judge(control).state == State::failed);
  CHECK(holds(judge(control).detail, "too long a name for a socket"));
}

TEST_CASE("doctor: the route of a block for a key of the person's own") {
  SshAnswer answer = block();
  answer.settings->identity_files = {"/home/me/.ssh/id"};
  answer.settings->certificate_files = {"~/.cloudflared/%h-own_key-cert.pub"};
  answer.ssh_gens = {
      "/usr/bin/mayfly access ssh-gen --public-key /home/me/.ssh/id.pub --hostname x"};
  const SshRoute route = ssh_route(target, answer);
  CHECK(route.certificate == Kept::own_key);
  CHECK(route.public_key == "/home/me/.ssh/id.pub");
  CHECK(judged(answer).state == State::ok);
  CHECK(holds(judged(answer).detail, "certificate for a key of your own"));
  answer.settings->identity_files = {"/home/me/.ssh/other"};
  CHECK(judged(answer).state == State::failed);
  answer.settings->certificate_files = {"~/.cloudflared/%h-cf_key-cert.pub"};
  CHECK(holds(judged(answer).detail, "-own_key-cert.pub"));
}
