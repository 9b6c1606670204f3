// Logouts: what a command that began before one may still do, and what ends it.
#include "access/identity/logout.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>

#include <algorithm>

#include "access/identity/place.hpp"
#include "access/testing/credentials.hpp"

using namespace mayfly;
using namespace mayfly::test;
using namespace mayfly::credentials_test;

namespace {

const std::vector<std::string> everywhere;

void log_out(const World& world, const std::vector<std::string>& places) {
  Logout(world.state.directory()).mark(places);
  for (const std::string& name : world.state.names())
    if (!name.starts_with(".")) world.state.directory().remove(name);
}

std::vector<std::string> here() {
  return {place_of(test_url())};
}

bool is_logged_out(const Error& error) {
  return error.kind() == ErrorKind::login_needed && contains(error.message(), "you logged out") &&
         contains(error.hint(), "mayfly access login https://vm.example.com");
}

// Whether another process could take the lock under which a logout is marked.
bool may_log_out_now(const World& world) {
  const Descriptor other(::openat(world.state.directory().descriptor(), StateLock::file, O_RDONLY));
  return !other || ::flock(other.get(), LOCK_EX | LOCK_NB) == 0;
}

}  // namespace

TEST_CASE("a command that began before a logout neither logs in nor stores anything") {
  for (const auto& places : {everywhere, here()}) {
    World world;
    const Credentials before = world.credentials();
    log_out(world, places);
    const auto marks = world.state.names();
    CHECK(is_logged_out(error_of([&] { before.obtain(test_url()); })));
    CHECK(world.shown.empty());
    CHECK(world.state.names() == marks);
  }
}

TEST_CASE("a lack of descriptors is not called a logout") {
  World world;
  const LogoutWatch watch(world.state.directory());
  rlimit usual{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &usual) == 0);
  rlimit none = usual;
  none.rlim_cur = 0;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const std::string said = error_of([&] { watch.has_logged_out(here()); }).message();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &usual) == 0);
  CAPTURE(said);
  CHECK(contains(said, "cannot see whether you have logged out"));
  CHECK(contains(said, "Too many open files"));
  CHECK_FALSE(watch.has_logged_out(here()));
}

TEST_CASE("the command that is named after a logout can be pasted, whatever the path holds") {
  World world;
  const Credentials before = world.credentials();
  log_out(world, everywhere);
  const Url url = parse_url("vm.example.com/a;touch$IFS$9marker;b");
  world.edge.on(url.origin() + url.path, [&](const Request& request) {
    return world.edge.send()({.url = test_url(), .headers = request.headers, .body = {}});
  });
  CHECK(contains(error_of([&] { before.obtain(url); }).hint(),
                 "mayfly access login 'https://vm.example.com/a;touch$IFS$9marker;b'"));
}

TEST_CASE("a command that begins after a logout logs in, and that ends the logout for all") {
  for (const auto& places : {everywhere, here()}) {
    World world;
    const Credentials before = world.credentials();
    log_out(world, places);
    CHECK(jwt_of(world.obtain()) == world.app_token);
    REQUIRE(before.known(test_url()));
    log_out(world, {});
    world.obtain();
    world.state.directory().remove(kFile);
    CHECK(jwt_of(before.obtain(test_url())) == world.app_token);
  }
}

TEST_CASE("a logout from one application leaves the others alone") {
  World world;
  const Credentials before = world.credentials();
  log_out(world, {"other.example.com"});
  CHECK(jwt_of(before.obtain(test_url())) == world.app_token);
  CHECK(world.state.names().front() == logout_mark("other.example.com"));
}

TEST_CASE("an application is also known by the name it is defined under") {
  World world;
  const Credentials before = world.credentials();
  log_out(world, {file_name(test_application().hostname)});
  CHECK(is_logged_out(error_of([&] { before.obtain(test_url()); })));
}

TEST_CASE("a login that a person finishes after a logout stores nothing") {
  World world;
  world.prompt.show = [&](const std::string& page) {
    log_out(world, {});
    world.log_in(page);
  };
  CHECK(is_logged_out(world.refusal()));
  CHECK(world.state.names() == std::vector<std::string>{logout_mark_of_all});
}

TEST_CASE("a login notices a logout while it waits for the person") {
  World world;
  bool waited = false;
  world.prompt.show = [&](const std::string&) { log_out(world, {}); };  // nobody finishes it
  world.prompt.waited = [&] { waited = true; };
  CHECK(is_logged_out(world.refusal()));
  CHECK(waited);
  CHECK(world.no_locks_left());
}

TEST_CASE("a command that waits for another login notices a logout") {
  World world;
  const auto held = wait_for_login_lock(world.state.directory(), kFile, {});
  world.prompt.other_login = [&](long, std::string_view) {};
  const Credentials before = world.credentials();
  Logout(world.state.directory()).mark({});
  CHECK(is_logged_out(error_of([&] { before.obtain(test_url()); })));
}

TEST_CASE("after a logout the team's token is exchanged by commands that began later alone") {
  World world;
  world.grant_exchange(world.token("exchanged"));
  const Credentials before = world.credentials();
  log_out(world, here());
  world.store(kOrgFile, world.org_token);
  CHECK(is_logged_out(error_of([&] { before.obtain(test_url()); })));
  CHECK(jwt_of(world.obtain()) == world.token("exchanged"));
}

TEST_CASE("an exchange during which a person logs out stores nothing") {
  World world;
  world.grant_exchange(world.token("exchanged"));
  world.store(kOrgFile, world.org_token);
  world.edge.on(kAuthorized, [&](const Request&) {
    log_out(world, {});
    return answer(302, {{"Set-Cookie",
                         "CF_Authorization=" + world.token("exchanged") + std::string(kFuture)}});
  });
  CHECK(is_logged_out(world.refusal()));
  CHECK(world.state.names() == std::vector<std::string>{logout_mark_of_all});
}

TEST_CASE("the team's token is not sent if a logout comes after the exchange has begun") {
  World world;
  world.grant_exchange(world.token("exchanged"));
  world.store(kOrgFile, world.org_token);
  world.application = [&](const Request& request) {
    if (request.purpose == "the exchange of the team's token") log_out(world, {});
    return redirect(kLogin);
  };
  CHECK(is_logged_out(world.refusal()));
  CHECK(world.edge.last(kApp).purpose == "the exchange of the team's token");
  CHECK(world.edge.count(kLogin) == 0);
}

TEST_CASE("the edge is not asked for its opinion of a token after a logout") {
  World world;
  const Credentials before = world.credentials();
  const Grant grant = before.obtain(test_url());
  log_out(world, {});
  world.edge.forget_requests();
  CHECK(is_logged_out(error_of([&] { before.accepted_at_edge(test_url(), grant); })));
  CHECK(world.edge.requests().empty());
}

TEST_CASE("a token that was read before a logout is not sent after it") {
  World world;
  const Credentials before = world.credentials();
  const Grant grant = before.obtain(test_url());
  const auto may_send = [&] {
    return before.may_send(test_url(), grant.application, jwt_of(grant));
  };
  CHECK(may_send());
  log_out(world, {});
  CHECK_FALSE(may_send());
  CHECK_FALSE(before.may_send(test_url(), std::nullopt, jwt_of(grant)));
  world.app_token = world.token("later");
  Logout(world.state.directory()).mark({});
  const Credentials after = world.credentials();
  const Grant later = after.obtain(test_url());
  Logout(world.state.directory())
      .mark(here());  // as cloudflared's login leaves it: a token, a mark
  CHECK(before.may_send(test_url(), later.application, jwt_of(later)));
  CHECK_FALSE(before.may_send(test_url(), later.application, jwt_of(grant)));
}

TEST_CASE("a service token goes on after a logout, since no login brought it") {
  World world;
  world.use_service_token();
  const std::string earned = world.service_token(kServiceId);
  world.application = [&](const Request&) {
    return answer(200, {{"Set-Cookie", "CF_Authorization=" + earned + std::string(kFuture)}});
  };
  const Credentials before = world.credentials();
  log_out(world, {});
  CHECK(jwt_of(before.obtain_token(test_url())) == earned);
  CHECK(before.may_send(test_url(), std::nullopt, earned));
}

TEST_CASE("a login does not end a logout that came after it began") {
  World world;
  log_out(world, {});
  const Credentials between = world.credentials();
  log_out(world, {});
  CHECK(is_logged_out(error_of([&] { between.obtain(test_url()); })));
  CHECK(jwt_of(world.obtain()) == world.app_token);
  CHECK_FALSE(between.may_send(test_url(), test_application(), "older"));
}

TEST_CASE("no logout is marked while a token or a certificate is written") {
  World world;
  const Credentials credentials = world.credentials();
  CHECK(may_log_out_now(world));
  bool stored = false;
  credentials.store(test_url(), test_application(), [&] {
    stored = true;
    CHECK_FALSE(may_log_out_now(world));
  });
  CHECK(stored);
  log_out(world, {});
  CHECK(is_logged_out(error_of(
      [&] { credentials.store(test_url(), test_application(), [] { FAIL("it was stored"); }); })));
}

TEST_CASE("a mark that is no file of ours counts as one that was there before") {
  World world;
  REQUIRE(::symlinkat("/nowhere", world.state.directory().descriptor(), logout_mark_of_all) == 0);
  CHECK(jwt_of(world.obtain()) == world.app_token);
}

TEST_CASE("a stored token alone ends no logout") {
  World world;
  const Credentials before = world.credentials();
  world.obtain();
  Logout(world.state.directory()).mark({});  // the files are not removed yet
  world.obtain();
  CHECK(is_logged_out(error_of([&] { before.renew(test_url(), before.obtain(test_url())); })));
}

TEST_CASE("a login ends a logout from all for its own application") {
  World world;
  const LogoutWatch before(world.state.directory());
  const std::vector<std::string> others = {"other.example.com", "m.example.com", "vm.example.co",
                                           "vm.example.com-admin", ""};
  const auto holds_for_others = [&] {
    return std::ranges::all_of(
        others, [&](const std::string& other) { return before.has_logged_out({other}); });
  };
  log_out(world, {});
  CHECK(before.has_logged_out(here()));
  CHECK(holds_for_others());

  world.obtain();
  CHECK_FALSE(before.has_logged_out(here()));
  CHECK(holds_for_others());

  // A login elsewhere neither ends the logout for the rest nor begins this one anew.
  LogoutWatch(world.state.directory()).end_logout({others.front()});
  CHECK_FALSE(before.has_logged_out({others.front()}));
  CHECK_FALSE(before.has_logged_out(here()));
  CHECK(before.has_logged_out({others.back()}));
  CHECK(before.has_seen_logout(here()));
}

TEST_CASE("a token from before a logout is not sent after a login either") {
  World world;
  const Credentials before = world.credentials();
  const Grant held = before.obtain(test_url());
  log_out(world, {});
  world.app_token = world.token("later");
  const Grant later = world.obtain();
  CHECK_FALSE(before.may_send(test_url(), held.application, jwt_of(held)));
  CHECK(before.may_send(test_url(), later.application, jwt_of(later)));
}

TEST_CASE("a logout is marked also when the lock cannot be had") {
  World world;
  const Credentials before = world.credentials();
  REQUIRE(::symlinkat("/nowhere", world.state.directory().descriptor(), StateLock::file) == 0);
  const Logout logout(world.state.directory());
  CHECK(logout.not_locked());
  logout.mark({});
  CHECK(is_logged_out(error_of([&] { before.obtain(test_url()); })));
}
