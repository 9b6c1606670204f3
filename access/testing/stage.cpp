#include "access/testing/stage.hpp"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <asio/steady_timer.hpp>
#include <exception>
#include <future>
#include <map>

#include "access/core/error.hpp"
#include "access/testing/fail_each.hpp"

namespace mayfly::testing {
namespace {

using namespace std::chrono_literals;

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  if (const std::size_t at = text.find(what); at != std::string::npos)
    text.replace(at, what.size(), by);
  return text;
}

ForwarderOptions options_to(int port) {
  ForwarderOptions options;
  options.edge = tunnel_to(port);
  return options;
}

Authorization with_token() {
  return {.known =
              [] {
                return Headers{{"Cf-Access-Token", "known"}};
              },
          .obtain =
              [](Authorization::Why) {
                return Headers{{"Cf-Access-Token", "obtained"}};
              }};
}

// Once with each token: the edge itself sends to the login page, and asks nobody behind it.
std::string key_of(const std::string& request) {
  const bool again = request.find("\r\nCf-Access-Token: obtained\r\n") != std::string::npos;
  return request.substr(0, request.find("\r\n")) + (again ? ", with another token" : "");
}

}  // namespace

Stage::Stage(std::function<std::string(const std::string&)> answer)
    : server_(std::in_place, watched(std::move(answer))),
      options_(options_to(server_->port())),
      dialer_(options_.edge, TlsContext::Buffers::release),
      authorization_(with_token()),
      authorizer_(authorization_) {}

Stage::~Stage() {
  server_.reset();
  std::map<std::string, int> times;
  for (const std::string& request : asked_)
    if (request.starts_with("POST ")) ++times[key_of(request)];
  for (const auto& one : times) CHECK_MESSAGE(one.second == 1, one.first);
}

TestServerOptions Stage::watched(std::function<std::string(const std::string&)> answer) {
  const auto note = [this](const std::string& request) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(request);
  };
  TestServerOptions options =
      serving([note, answer = std::move(answer)](const std::string& request) {
        note(request);
        return answer(request);
      });
  options.broken_off = note;
  return options;
}

void Stage::be_patient(std::chrono::milliseconds patience) {
  options_.patience = {.between_requests = patience, .head = patience, .silence = patience};
  options_.edge.handshake_timeout = options_.edge.connection.connect_timeout = patience;
}

std::vector<std::string> Stage::filled_in(const Script& script, const std::string& host) {
  std::vector<std::string> requests;
  for (const std::string& request : script.requests)
    requests.push_back(
        replaced(replaced(request, "HOST", host), "NUMBER", std::to_string(++number_)));
  return requests;
}

std::vector<std::string> Stage::asked() {
  const std::lock_guard lock(mutex_);
  return asked_;
}

Run Stage::serve(const Script& script, EdgePool& pool, const FaultAt& where) {
  const Fault injected = where.at == 0 ? Fault::reset : where.fault;  // at 0 nothing stalls
  be_patient(patience(injected));
  LocalPair local = script.connect();
  // In a thread of its own: its operations are not counted, and do not fail.
  auto program = std::async(std::launch::async, converse, std::move(local.programs),
                            filled_in(script, local.host));
  Run run;
  std::set<int> also = {local.listeners.get()};
  // After an upgrade a program that is slow is waited for, however long.
  if (script.upgrades && where.fault == Fault::stall) also.clear();
  const FaultInjection injection(where.fault, where.at, also);
  run_to_end(std::move(local.listeners), pool, injected, run);
  run.operations = injection.operations();
  run.in_vain = injection.in_vain();
  run.answers = program.get();
  return run;
}

void Stage::run_to_end(Descriptor socket, EdgePool& pool, Fault fault, Run& run) {
  const HttpConnection::Shared shared{.options = options_,
                                      .authorizer = authorizer_,
                                      .pool = pool,
                                      .buffers = buffers_,
                                      .names = {}};
  auto connection =
      std::make_unique<HttpConnection>(loop_.get_executor(), shared, std::move(socket));
  // Nobody gives up an upgraded connection but its ends, and the signal that ends the listener.
  asio::steady_timer signal(loop_, 2 * patience(fault));
  signal.async_wait([&](const auto& error) {
    if (!error && fault == Fault::stall && connection) connection->interrupt();
  });
  asio::co_spawn(loop_, connection->run(), [&](const std::exception_ptr& thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const Error& error) {
      run.reported = error.message();
    }
    connection.reset();
    signal.cancel();
  });
  loop_.restart();
  loop_.run_for(20s);
  REQUIRE_MESSAGE(connection == nullptr, "it hangs");
}

}  // namespace mayfly::testing
