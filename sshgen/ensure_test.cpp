#include "sshgen/ensure.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "access/answer/refusal.hpp"
#include "access/core/error.hpp"
#include "sshgen/testing/agent_process.hpp"
#include "sshgen/testing/signer.hpp"

namespace mayfly::sshgen {
namespace {

constexpr auto always = EnsureOptions::Renew::always;

Grant grant_with(const std::string& jwt) {
  return {application_of_team(), token_of_team(jwt)};
}

// A state directory, a signer, and credentials that hand out token after token.
struct World {
  Scratch scratch;
  StateDirectory state = StateDirectory::open(scratch.path());
  Url url = parse_url("vm.example.com");
  Signer signer = {};
  std::vector<std::string> jwts = {"first.app.token", "second.app.token", "third.app.token"};
  int obtained = 0, renewed = 0;
  bool logged_out = false;

  Issuer issuer() {
    const auto next = [this] { return grant_with(jwts.at(static_cast<std::size_t>(obtained++))); };
    return {[next](const Url&) { return next(); },
            [this, next](const Url&, const Grant& refused) {
              CHECK(refused.token->jwt.reveal() == jwts.front());
              ++renewed;
              return next();
            },
            signer.send(),
            [this](const Url& at, const Grant&) {
              if (logged_out) throw mayfly::logged_out(at);
            },
            [this](const Url& at, const Application&, const std::function<void()>& action) {
              if (logged_out) throw mayfly::logged_out(at);
              action();
            }};
  }
  Certificate ensure(const EnsureOptions& options = {}) {
    return ensure_certificate(state, url, issuer(), options);
  }
  std::optional<Certificate> on_disk() const {
    return valid_on_disk(state, url, EnsureOptions().clock());
  }
};

Response rejection() {
  return answer(403, R"({"status":403,"message":"no"})");
}

TEST_CASE("ensure: from nothing to a certificate with its key, and no lock left") {
  for (const auto type : {KeyType::ecdsa, KeyType::ed25519}) {
    World world;
    EnsureOptions options;
    options.key_type = type;
    const auto certificate = world.ensure(options);
    CHECK(world.on_disk()->blob == certificate.blob);
    auto names = world.state.list();
    std::sort(names.begin(), names.end());
    CHECK(names == std::vector<std::string>{"vm.example.com-cf_key",
                                            "vm.example.com-cf_key-cert.pub",
                                            "vm.example.com-cf_key.pub"});
  }
}

TEST_CASE("ensure: after a logout no token is sent to the signer") {
  World world;
  world.logged_out = true;
  CHECK_THROWS_AS(world.ensure(), Error);
  CHECK(world.signer.requests.empty());
  CHECK(world.state.list().empty());
}

TEST_CASE("ensure: no token is sent to the signer if a logout comes while it is connected to") {
  World world;
  Issuer issuer = world.issuer();
  issuer.send = [&, send = issuer.send](const Request& request) {
    world.logged_out = true;
    return send(request);
  };
  CHECK_THROWS_AS(ensure_certificate(world.state, world.url, issuer), Error);
  CHECK(world.signer.requests.empty());
}

TEST_CASE("ensure: a certificate that is signed during a logout is not stored") {
  World world;
  Issuer issuer = world.issuer();
  issuer.send = [&, send = issuer.send](const Request& request) {
    const Response response = send(request);
    world.logged_out = true;
    return response;
  };
  CHECK_THROWS_AS(ensure_certificate(world.state, world.url, issuer), Error);
  CHECK(world.signer.requests.size() == 1);
  CHECK(world.state.list().empty());
}

TEST_CASE("ensure: a certificate is fresh until its end comes near, or its second half begins") {
  using namespace std::chrono_literals;
  const std::chrono::sys_seconds start{1'700'000'000s};
  Certificate certificate;
  certificate.valid_after = 1'700'000'000;
  certificate.valid_before = 1'700'000'000 + 240;
  CHECK(is_fresh(certificate, start, 0s));
  CHECK(is_fresh(certificate, start + 239s, 0s));
  CHECK(is_fresh(certificate, start + 180s, 60s));
  CHECK_FALSE(is_fresh(certificate, start + 181s, 60s));
  CHECK(is_fresh(certificate, start + 120s, 24h));
  CHECK_FALSE(is_fresh(certificate, start + 121s, 24h));
}

TEST_CASE("ensure: a certificate that ends soon is renewed ahead, and one renewal is enough") {
  using namespace std::chrono_literals;
  World world;
  world.signer.options = "-I id -n jdoe -V -50m:+10m";
  const auto first = world.ensure();
  EnsureOptions ahead;
  ahead.renew_before = 5min;
  CHECK(world.ensure(ahead).blob == first.blob);
  world.signer.options = "-I id -n jdoe -V -5m:+1h";
  ahead.renew_before = 15min;
  const auto second = world.ensure(ahead);
  CHECK(second.blob != first.blob);
  CHECK(world.ensure(ahead).blob == second.blob);
  CHECK(world.signer.requests.size() == 2);
}

TEST_CASE("ensure: a valid certificate is used without any request") {
  World world;
  const auto first = world.ensure();
  CHECK(world.ensure().blob == first.blob);
  CHECK(world.obtained == 1);
  CHECK(world.signer.requests.size() == 1);
}

TEST_CASE("ensure: a new certificate has a new key") {
  World world;
  const auto first = world.ensure();
  EnsureOptions later;
  SUBCASE("when the old one has ended") {
    later.clock = [] { return EnsureOptions().clock() + std::chrono::seconds(3590); };
  }
  SUBCASE("when forced") {
    later.renew = always;
  }
  const auto second = world.ensure(later);
  CHECK(first.certified_key != second.certified_key);
  CHECK(world.on_disk()->blob == second.blob);
  CHECK(world.signer.requests.size() == 2);
}

TEST_CASE("ensure: files that do not belong together are repaired") {
  for (const auto* suffix : {"", ".pub", "-cert.pub"}) {
    World world;
    world.ensure();
    const auto name = "vm.example.com-cf_key" + std::string(suffix);
    const auto old = content_of(world.scratch.path_of(name));
    EnsureOptions forced;
    forced.renew = always;
    world.ensure(forced);
    world.scratch.file(name, old);
    CHECK_FALSE(world.on_disk());
    world.ensure();
    CHECK(world.on_disk());
  }
}

TEST_CASE("ensure: a certificate valid for a minute is used while it can be") {
  World world;
  world.signer.options = "-I id -n jdoe -V -1s:+59s";
  world.ensure();
  world.ensure();
  CHECK(world.signer.requests.size() == 1);
}

TEST_CASE("ensure: a rejected token is renewed, once") {
  World world;
  world.signer.script = {rejection()};
  world.ensure();
  CHECK(world.renewed == 1);
  REQUIRE(world.signer.requests.size() == 2);
  CHECK(read_sign_request(world.signer.requests[0]).jwt == "first.app.token");
  CHECK(read_sign_request(world.signer.requests[1]).jwt == "second.app.token");
}

TEST_CASE("ensure: a second rejection ends it, with nothing written") {
  World world;
  world.signer.script = {rejection(), rejection()};
  CHECK_THROWS_AS(world.ensure(), TokenRejected);
  CHECK(world.renewed == 1);
  CHECK(world.obtained == 2);
  CHECK(world.state.list().empty());
}

TEST_CASE("ensure: other refusals cost no token, and the old files stay") {
  for (const int status : {200, 302, 404, 500}) {
    World world;
    const auto first = world.ensure();
    world.signer.script = {answer(status, "words")};
    EnsureOptions forced;
    forced.renew = always;
    CHECK_THROWS_AS(world.ensure(forced), Error);
    CHECK(world.renewed == 0);
    CHECK(world.on_disk()->blob == first.blob);
    CHECK(world.state.list().size() == 3);
  }
}

TEST_CASE("ensure: fails without an application, and for one that issues no token") {
  World world;
  Grant grant;
  SUBCASE("no application") {}
  SUBCASE("no token") {
    grant.application = application_of_team();
  }
  auto issuer = world.issuer();
  issuer.obtain = [&](const Url&) { return grant; };
  CHECK_THROWS_AS(ensure_certificate(world.state, world.url, issuer), Error);
  CHECK(world.signer.requests.empty());
}

// Exit status 0 when every one of them ended with a certificate.
void in_processes(int count, const std::function<void()>& work) {
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const auto pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      try {
        work();
        ::_exit(0);
      } catch (...) {
        ::_exit(1);
      }
    }
    children.push_back(pid);
  }
  for (const auto pid : children) {
    int status = -1;
    ::waitpid(pid, &status, 0);
    CHECK(status == 0);
  }
}

TEST_CASE("ensure: twelve processes at once cause one signature") {
  World world;
  const auto tally = world.scratch.path_of("tally");
  in_processes(12, [&] {
    const auto sign = world.signer.send();
    auto issuer = world.issuer();
    issuer.send = [&](const Request& request) {
      std::ofstream(tally, std::ios::app) << '.';
      return sign(request);
    };
    const auto certificate = ensure_certificate(world.state, world.url, issuer);
    REQUIRE(valid_on_disk(world.state, world.url, EnsureOptions().clock())->blob ==
            certificate.blob);
  });
  CHECK(content_of(tally) == ".");
  CHECK(world.state.list().size() == 4);
}

TEST_CASE("ensure: in the agent, with a copy of the certificate alone on disk") {
  const std::vector<std::string> copy{"vm.example.com-agent-cert.pub"};
  for (const auto type : {KeyType::ecdsa, KeyType::ed25519}) {
    World world;
    const AgentProcess process;
    auto agent = Agent::connect(process.socket());
    EnsureOptions options;
    options.key_type = type;
    const auto first = ensure_in_agent({world.state, agent}, world.url, world.issuer(), options);
    CHECK(world.state.list() == copy);
    CHECK(world.state.read(copy[0])->content == line_of_blob(first.blob));
    CHECK(ensure_in_agent({world.state, agent}, world.url, world.issuer(), options).blob ==
          first.blob);
    CHECK(world.signer.requests.size() == 1);

    options.renew = always;
    const auto second = ensure_in_agent({world.state, agent}, world.url, world.issuer(), options);
    const auto identities = agent.identities();
    REQUIRE(identities.size() == 1);
    CHECK(identities[0].blob == second.blob);
    CHECK(identities[0].comment == "mayfly:vm.example.com");
    CHECK(second.certified_key != first.certified_key);

    // Another agent has another certificate: the copy follows the agent that is asked.
    world.state.write(copy[0], line_of_blob(first.blob));
    CHECK(valid_in_agent({world.state, agent}, world.url, options.clock())->blob == second.blob);
    CHECK(world.state.read(copy[0])->content == line_of_blob(second.blob));
    CHECK(remove_from_disk(world.state, world.url));
    CHECK(world.state.list().empty());
  }
}

TEST_CASE(
    "ensure: removes what a killed renewal left in the agent, unless a renewal is under way") {
  World world;
  const AgentProcess process;
  auto agent = Agent::connect(process.socket());
  const AgentPlace place{world.state, agent};
  ensure_in_agent(place, world.url, world.issuer(), {});
  const auto pair = generate_key_pair(KeyType::ecdsa);
  const auto line = Authority().sign(pair.public_line(), "-I id -n jdoe -V -5m:+2h");
  const auto newer = parse_certificate(line).value();
  agent.add({pair, newer, agent_comment(world.url), std::chrono::hours(2)});
  const auto now = EnsureOptions().clock();
  {
    const auto renewal = wait_for_login_lock(world.state, key_file_name(world.url), {});
    CHECK(valid_in_agent(place, world.url, now)->blob == newer.blob);
    CHECK(agent.identities().size() == 2);
  }
  CHECK(valid_in_agent(place, world.url, now)->blob == newer.blob);
  CHECK(agent.identities().size() == 1);
  CHECK(world.state.list() == std::vector<std::string>{"vm.example.com-agent-cert.pub"});
}

}  // namespace
}  // namespace mayfly::sshgen
