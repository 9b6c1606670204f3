// Makes each operation of a request, a dial and a tunnel fail, in every way: they always end, and
// with a true result.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <functional>
#include <optional>

#include "access/core/error.hpp"
#include "access/dial/dial.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/ignored_signal.hpp"
#include "access/testing/fail_each.hpp"
#include "access/testing/faults.hpp"
#include "access/testing/tunnel.hpp"
#include "access/tunnel/polled_run.hpp"
#include "access/tunnel/tunnel_run.hpp"

using namespace mayfly;
using namespace mayfly::testing;
using namespace std::chrono_literals;

namespace {

Error no_error() {
  return {ErrorKind::usage, "nothing was thrown"};
}

}  // namespace

namespace {

bool is_cut_short(const Error& error) {
  return error.kind() == ErrorKind::protocol && error.message().find("cannot use the answer") == 0;
}

}  // namespace

TEST_CASE("every operation of a request fails in turn") {
  const std::string question = pattern(30'000), answer = pattern(50'000);
  TestServer server(serving([&](const std::string& request) {
    return request.ends_with(question) ? ok(answer) : ok("wrong");
  }));
  fail_each([&](Fault fault, int at) {
    HttpClient client(tunnel_to(server.port()).connection);
    Request request{.method = Request::Method::post,
                    .url = parse_url("app.example"),
                    .headers = {},
                    .body = question};
    std::optional<Response> response;
    Error error = no_error();
    int operations = 0;
    {
      const FaultInjection injection(fault, at);
      request.timeout = patience(at == 0 ? Fault::reset : fault);
      try {
        response = client.send(request);
      } catch (const Error& thrown) {
        error = thrown;
      }
      operations = injection.operations();
    }
    // The answer is complete, or there is an error.
    if (response) CHECK((response->status == 200 && response->body == answer));
    if (!response) CHECK((error.kind() == ErrorKind::network || is_cut_short(error)));
    if (!response) CHECK_FALSE(error.hint().empty());
    if (at == 0 || is_harmless(fault)) CHECK_MESSAGE(response.has_value(), error.message());
    // The next request succeeds.
    request.timeout = 10s;
    CHECK(client.send(request).body == answer);
    return operations;
  });
}

namespace {

struct Dialed {
  std::optional<Dialer::Outcome> outcome;
  Error error = no_error();
};

Dialed dial(Dialer& dialer) {
  Dialed dialed;
  asio::io_context loop;
  asio::co_spawn(loop, dialer.dial({}), [&](std::exception_ptr thrown, Dialer::Outcome result) {
    try {
      if (thrown) std::rethrow_exception(thrown);
      dialed.outcome = std::move(result);
    } catch (const Error& error) {
      dialed.error = error;
    }
  });
  loop.run();
  return dialed;
}

TunnelOptions options_for(const TestServer& server, Fault fault) {
  TunnelOptions options = tunnel_to(server.port());
  options.handshake_timeout = options.connection.connect_timeout = patience(fault);
  options.ping_interval = patience(fault);
  options.linger = patience(fault);
  return options;
}

}  // namespace

TEST_CASE("every operation of a dial fails in turn") {
  TestServer server(
      serving([](const std::string& request) { return upgraded(request) + "\x82\x05hello"; }));
  fail_each([&](Fault fault, int at) {
    TunnelOptions options = options_for(server, at == 0 ? Fault::reset : fault);
    Dialer dialer(options, TlsContext::Buffers::release);
    int operations = 0;
    {
      const FaultInjection injection(fault, at);
      const Dialed dialed = dial(dialer);
      operations = injection.operations();
      const bool open =
          dialed.outcome && std::holds_alternative<Dialer::Open>(dialed.outcome.value());
      CHECK(open == dialed.outcome.has_value());
      if (!open) CHECK(dialed.error.kind() == ErrorKind::network);
      if (!open) CHECK_FALSE(dialed.error.hint().empty());
      if (at == 0 || is_harmless(fault)) CHECK_MESSAGE(open, dialed.error.message());
    }
    options = options_for(server, Fault::reset);
    CHECK(dial(dialer).outcome.has_value());
    return operations;
  });
}

namespace {

std::string all_of(int descriptor) {
  std::string text;
  char room[65536];
  for (ssize_t count = 0; (count = ::read(descriptor, room, sizeof room)) > 0;)
    text.append(room, static_cast<std::size_t>(count));
  return text;
}

std::string frame(const std::string& payload) {
  std::string head = "\x82\x7e";
  head += static_cast<char>(payload.size() >> 8);
  head += static_cast<char>(payload.size() & 0xff);
  return head + payload;
}

// The local program's ends of a tunnel, and a function that runs the tunnel.
struct Local {
  Descriptor speaks, hears;
  std::set<int> watched;
  bool is_connection = false;
  std::function<Ending(Dialer::Open open, const PumpOptions&)> carry;
};

// Runs the tunnel in a loop for many. Its local connection is a socket.
Local in_a_loop() {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  Local local{.speaks = Descriptor(dup(ends[0])),
              .hears = Descriptor(ends[0]),
              .watched = {ends[1]},
              .is_connection = true,
              .carry = {}};
  local.carry = [end = ends[1]](Dialer::Open open, const PumpOptions& options) {
    asio::io_context loop;
    BufferPool buffers;
    Ending ending;
    auto run = std::make_shared<TunnelRun>(
        loop.get_executor(),
        TunnelRun::Parts{.socket = Descriptor(end), .open = std::move(open), .name = {}}, buffers,
        options);
    run->start([&](const Ending& ended) { ending = ended; });
    loop.run();
    run.reset();
    CHECK(buffers.lent() == 0);
    return ending;
  };
  return local;
}

// Runs the tunnel by itself, on two pipes.
Local polled() {
  int up[2], down[2];
  REQUIRE(pipe2(up, O_CLOEXEC | O_NONBLOCK) == 0);
  REQUIRE(pipe2(down, O_CLOEXEC | O_NONBLOCK) == 0);
  Local local{.speaks = Descriptor(up[1]),
              .hears = Descriptor(down[0]),
              .watched = {up[0], down[1]},
              .carry = {}};
  local.carry = [in = up[0], out = down[1]](Dialer::Open open, const PumpOptions& options) {
    const Descriptor closed_in(in), closed_out(out);
    return run_polled(
        {.local_in = in, .local_out = out, .open = std::move(open), .interrupted = -1, .name = {}},
        options);
  };
  return local;
}

// Runs a tunnel that moves bytes in both directions and is closed by the peer.
int carry_with_fault(const Local& local, Fault fault, int at) {
  const std::string up = pattern(3000), down = pattern(20'000);
  TestServer server(serving([&](const std::string& request) {
    return upgraded(request) + frame(down.substr(0, 7000)) + frame(down.substr(7000)) +
           "\x88\x02\x03\xe8";
  }));
  const TunnelOptions options = options_for(server, Fault::reset);
  Dialer dialer(options, TlsContext::Buffers::keep);
  Dialed dialed = dial(dialer);
  REQUIRE(dialed.outcome.has_value());
  REQUIRE(::write(local.speaks.get(), up.data(), up.size()) == static_cast<ssize_t>(up.size()));
  Ending ending;
  int operations = 0;
  {
    // A local program may stall for ever, so stalls are injected only in the tunnel.
    const FaultInjection injection(fault, at,
                                   fault == Fault::stall ? std::set<int>() : local.watched);
    const auto wait = patience(at == 0 ? Fault::reset : fault);
    ending = local.carry(std::get<Dialer::Open>(std::move(*dialed.outcome)),
                         {.ping_interval = wait, .linger = wait, .linger_for_waiting = wait});
    operations = injection.operations();
  }
  const std::string delivered = all_of(local.hears.get());
  CHECK(down.starts_with(delivered));
  CHECK(ending.received == delivered.size());
  CHECK(ending.sent <= up.size());
  // After a clean ending no byte is missing, unless the program at a socket was gone.
  const bool may_be_gone = local.is_connection && (fault == Fault::reset || fault == Fault::end);
  if (ending.how == Ending::How::closed && !may_be_gone) CHECK(delivered.size() == down.size());
  if (ending.how == Ending::How::cut || ending.how == Ending::How::undelivered)
    CHECK_FALSE(ending.reason.empty());
  CHECK(ending.how != Ending::How::violation);
  if (at == 0 || is_harmless(fault)) CHECK(ending.how == Ending::How::closed);
  return operations;
}

}  // namespace

TEST_CASE("every operation of a tunnel fails in turn, in a loop") {
  fail_each([](Fault fault, int at) { return carry_with_fault(in_a_loop(), fault, at); });
}

TEST_CASE("every operation of a tunnel fails in turn, polled") {
  fail_each([](Fault fault, int at) { return carry_with_fault(polled(), fault, at); });
}
