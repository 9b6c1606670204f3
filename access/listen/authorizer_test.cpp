// The credential headers of a listener: known, or obtained by one login for all that wait.
#include "access/listen/authorizer.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <csignal>
#include <optional>

#include "access/io/watched_descriptor.hpp"

using namespace mayfly;
namespace {

struct Outcome {
  Headers headers;
  std::optional<Error> error;
};

void spawn(asio::io_context& loop, asio::awaitable<Headers> task, Outcome& outcome) {
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr thrown, Headers headers) {
    outcome.headers = std::move(headers);
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const Error& error) {
      outcome.error = error;
    }
  });
}

}  // namespace

TEST_CASE("a message of the login process is decoded whole or as an error") {
  const Headers headers = {{"A", "b"}, {"Empty", ""}, {"Bytes", std::string("\0\xff", 2)}};
  CHECK(std::get<Headers>(decode_obtained(encode_obtained(headers))) == headers);
  CHECK(std::get<Headers>(decode_obtained(encode_obtained(Headers{}))).empty());

  const Error told(ErrorKind::refused, "no", "ask");
  const Error back = std::get<Error>(decode_obtained(encode_obtained(told)));
  CHECK(back.kind() == ErrorKind::refused);
  CHECK(back.message() == "no");
  CHECK(back.hint() == "ask");

  const std::string text = encode_obtained(headers);
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK(std::holds_alternative<Error>(decode_obtained(text.substr(0, size))));
  }
}

TEST_CASE("known headers need no login") {
  Authorization authorization;
  authorization.known = [] { return Headers{{"T", "known"}}; };
  Authorizer authorizer(authorization);
  asio::io_context loop;
  Outcome outcome;
  spawn(loop, authorizer.headers(), outcome);
  loop.run();
  CHECK(outcome.headers == Headers{{"T", "known"}});
}

TEST_CASE("known headers are read once for a crowd, but again if they were refused") {
  int reads = 0;
  Authorization authorization;
  authorization.known = [&] { return Headers{{"Read", std::to_string(++reads)}}; };
  Outcome first, second, third;
  const auto ask = [&](std::chrono::milliseconds cache_time) {
    Authorizer authorizer(authorization, cache_time);
    asio::io_context loop;
    spawn(loop, authorizer.headers(), first);
    spawn(loop, authorizer.headers(), second);
    loop.run();
    loop.restart();
    spawn(loop, authorizer.instead_of(second.headers), third);
    loop.run();
    CHECK(third.headers == Headers{{"Read", std::to_string(reads)}});
  };
  ask(std::chrono::hours(1));
  CHECK(first.headers == second.headers);
  CHECK(reads == 2);
  ask(std::chrono::milliseconds(0));
  CHECK(reads == 5);
}

TEST_CASE("headers that replaced refused ones are replaced only once they were accepted") {
  Authorization authorization;
  authorization.known = [] { return std::nullopt; };
  // Each login runs in a process of its own, so the number comes from there.
  authorization.obtain = [](Authorization::Why) {
    return Headers{{"T", std::to_string(::getpid())}};
  };
  Authorizer authorizer(authorization);
  asio::io_context loop;
  const auto instead_of = [&](const Headers& refused) {
    Outcome outcome;
    loop.restart();
    spawn(loop, authorizer.instead_of(refused), outcome);
    loop.run();
    CHECK_FALSE(outcome.error);
    return outcome.headers;
  };
  const Headers old = {{"T", "old"}};
  const Headers first = instead_of(old);
  CHECK(first != old);
  CHECK_FALSE(authorizer.may_replace(first));
  CHECK(instead_of(first) == first);
  CHECK(instead_of(first) == first);
  authorizer.were_accepted(first);
  CHECK(authorizer.may_replace(first));
  CHECK(instead_of(first) != first);
}

TEST_CASE("known headers that may no longer be sent are read again") {
  int reads = 0;
  bool logged_out = false;
  Authorization authorization;
  authorization.known = [&]() -> std::optional<Headers> {
    ++reads;
    if (logged_out) return std::nullopt;
    return Headers{{"T", "known"}};
  };
  authorization.may_send = [&](const Headers&) { return !logged_out; };
  Authorizer authorizer(authorization, std::chrono::hours(1));
  CHECK(authorizer.known());
  CHECK(authorizer.known());
  CHECK(reads == 1);
  logged_out = true;
  CHECK_FALSE(authorizer.known());
  CHECK(reads == 2);
}

TEST_CASE("known headers that could not be sent once are not used later") {
  bool stored = true, may_send = true;
  Authorization authorization;
  authorization.known = [&]() -> std::optional<Headers> {
    if (!stored) return std::nullopt;
    return Headers{{"T", "known"}};
  };
  authorization.may_send = [&](const Headers&) { return may_send; };
  Authorizer authorizer(authorization, std::chrono::hours(1));
  CHECK(authorizer.known());
  stored = may_send = false;
  CHECK_FALSE(authorizer.known());
  may_send = true;
  CHECK_FALSE(authorizer.known());
}

TEST_CASE("one login in the login process serves all connections that wait") {
  const pid_t here = getpid();
  Authorization authorization;
  authorization.known = []() -> std::optional<Headers> { return std::nullopt; };
  authorization.obtain = [&](Authorization::Why) -> Headers {
    return {{"Child", getpid() == here ? "no" : "yes"}, {"Pid", std::to_string(getpid())}};
  };
  Authorizer authorizer(authorization);
  asio::io_context loop;
  std::vector<Outcome> outcomes(5);
  for (Outcome& outcome : outcomes) spawn(loop, authorizer.headers(), outcome);
  loop.run();
  for (const Outcome& outcome : outcomes) {
    REQUIRE(outcome.headers.size() == 2);
    CHECK(outcome.headers.begin()->value == "yes");
    CHECK(outcome.headers == outcomes[0].headers);
  }
}

TEST_CASE("the error of a login reaches all connections that wait") {
  Authorization authorization;
  authorization.known = []() -> std::optional<Headers> { return std::nullopt; };
  authorization.obtain = [](Authorization::Why) -> Headers {
    throw Error(ErrorKind::login_needed, "a login is needed", "log in");
  };
  Authorizer authorizer(authorization);
  asio::io_context loop;
  std::vector<Outcome> outcomes(3);
  for (Outcome& outcome : outcomes) spawn(loop, authorizer.headers(), outcome);
  loop.run();
  for (const Outcome& outcome : outcomes) {
    REQUIRE(outcome.error);
    CHECK(outcome.error->kind() == ErrorKind::login_needed);
    CHECK(outcome.error->hint() == "log in");
  }
}

TEST_CASE("the death of a login is an error") {
  Authorization authorization;
  authorization.known = []() -> std::optional<Headers> { return std::nullopt; };
  authorization.obtain = [](Authorization::Why) -> Headers {
    raise(SIGKILL);
    return {};
  };
  Authorizer authorizer(authorization);
  asio::io_context loop;
  Outcome outcome;
  spawn(loop, authorizer.headers(), outcome);
  loop.run();
  CHECK(outcome.error);
}

TEST_CASE(
    "a login that cannot be requested is an error for all that wait, and the next is requested") {
  Authorization authorization;
  authorization.known = []() -> std::optional<Headers> { return std::nullopt; };
  authorization.obtain = [](Authorization::Why) { return Headers{{"T", "obtained"}}; };
  // This is the number of the login process's socket, which an event loop accepts only once.
  const int socket = Descriptor(::dup(STDERR_FILENO)).get();
  Authorizer authorizer(authorization);
  asio::io_context loop;
  {
    const WatchedDescriptor in_the_way(loop.get_executor(), socket);
    std::vector<Outcome> outcomes(3);
    for (Outcome& outcome : outcomes) spawn(loop, authorizer.headers(), outcome);
    loop.run();
    for (const Outcome& outcome : outcomes) {
      REQUIRE(outcome.error);
      CHECK_FALSE(outcome.error->hint().empty());
    }
  }
  loop.restart();
  Outcome outcome;
  spawn(loop, authorizer.headers(), outcome);
  loop.run();
  CHECK(outcome.headers == Headers{{"T", "obtained"}});
}

// As in a listener that ends during a login. The address sanitizer would report a wrong order.
TEST_CASE("the loop in which connections wait for a login may end first") {
  Authorization authorization;
  authorization.known = []() -> std::optional<Headers> { return std::nullopt; };
  authorization.obtain = [](Authorization::Why) -> Headers {
    pause();
    return {};
  };
  Authorizer authorizer(authorization);
  std::vector<Outcome> outcomes(2);
  {
    asio::io_context loop;
    for (Outcome& outcome : outcomes) spawn(loop, authorizer.headers(), outcome);
    loop.poll();
  }
  for (const Outcome& outcome : outcomes) CHECK(outcome.headers.empty());
}

TEST_CASE("refused headers are replaced by other known headers, or by a login") {
  Headers known = {{"T", "new"}};
  Authorization authorization;
  authorization.known = [&] { return known; };
  authorization.obtain = [](Authorization::Why why) -> Headers {
    return {{"T", why == Authorization::Why::refused ? "fresh" : "wrong"}};
  };
  Authorizer authorizer(authorization);
  asio::io_context loop;
  Outcome outcome;
  SUBCASE("others") {
    spawn(loop, authorizer.instead_of({{"T", "old"}}), outcome);
    loop.run();
    CHECK(outcome.headers == Headers{{"T", "new"}});
  }
  SUBCASE("the same") {
    spawn(loop, authorizer.instead_of(known), outcome);
    loop.run();
    CHECK(outcome.headers == Headers{{"T", "fresh"}});
  }
}

TEST_CASE("headers that the trial of a starting listener got for refused ones are not replaced") {
  for (const char* got : {"old", "new"}) {
    Authorization authorization;
    authorization.known = [] { return Headers{{"T", "old"}}; };
    authorization.obtain = [&](Authorization::Why) { return Headers{{"T", got}}; };
    Authorizer authorizer(authorization);
    asio::io_context loop;
    ListenOptions options;
    asio::co_spawn(loop, try_application(authorizer, options), [](std::exception_ptr) {});
    loop.run();
    CHECK(authorizer.may_replace({{"T", got}}) == (std::string_view(got) == "old"));
    authorizer.were_accepted({{"T", got}});
    CHECK(authorizer.may_replace({{"T", got}}));
  }
}

TEST_CASE("a connection that comes during the trial of a starting listener logs in after it") {
  for (const bool is_known : {false, true}) {
    Authorization authorization;
    authorization.known = [] { return std::nullopt; };
    authorization.obtain = [&](Authorization::Why why) -> Headers {
      if (why != Authorization::Why::starting) return {{"T", "login"}};
      if (is_known) return {{"T", "trial"}};
      throw Error(ErrorKind::login_needed, "a login is needed");
    };
    Authorizer authorizer(authorization);
    asio::io_context loop;
    std::vector<std::optional<Error>> tried;
    ListenOptions options;
    options.tried = [&](const std::optional<Error>& problem) { tried.push_back(problem); };
    Outcome first, second;
    asio::co_spawn(loop, try_application(authorizer, options), [](std::exception_ptr) {});
    spawn(loop, authorizer.headers(), first);
    spawn(loop, authorizer.headers(), second);
    loop.run();
    REQUIRE(tried.size() == 1);
    CHECK(tried[0].has_value() != is_known);
    CHECK(first.headers == Headers{{"T", is_known ? "trial" : "login"}});
    CHECK(second.headers == first.headers);
  }
}
