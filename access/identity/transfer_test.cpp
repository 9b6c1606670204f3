#include "access/identity/transfer.hpp"

#include <doctest/doctest.h>

#include "access/core/encoding.hpp"
#include "access/testing/access.hpp"
#include "access/testing/tokens.hpp"

using namespace mayfly;
using namespace mayfly::test;
using namespace std::chrono_literals;

namespace {

struct Login {
  TransferKey key;
  ScriptedSend service;
  TransferOptions options;
  std::string place = "https://login.cloudflareaccess.org/transfer/" + key.public_key();
  Response ready = sealed_answer(R"({"app_token":"a.b.c","org_token":"d.e.f"})", key.public_key());
  int told = 0;

  Login() {
    options.pause = 1ms;
    options.patience = 60s;
  }
  // One answer after the other, then the tokens.
  void script(std::vector<ScriptedSend::Answer> answers) {
    service.on(place, [this, answers = std::move(answers),
                       next = std::size_t{0}](const Request& request) mutable {
      return next < answers.size() ? answers[next++](request) : ready;
    });
  }
  TokenPair run() {
    return fetch_transfer(service.send(), key, options, [&](std::chrono::seconds) { ++told; });
  }
};

ScriptedSend::Answer status(int code, std::string body = {}) {
  return [=](const Request&) { return answer(code, {}, body); };
}

Response drop(const Request&) {
  throw Error(ErrorKind::network, "the connection was cut");
}

}  // namespace

TEST_CASE("the login URL is the one that cloudflared prints") {
  // Printed by cloudflared 2026.8.2, `cloudflared access login [--auto-close] URL`, for an
  // application with this audience; the transfer key is what it made.
  const std::string aud = std::string(60, 'f') + "beef";
  struct Row {
    const char* url;
    TransferOptions::Interstitial interstitial;
    const char* key;
    std::string expected;
  };
  const auto keep = TransferOptions::Interstitial::keep;
  const auto close = TransferOptions::Interstitial::close;
  const Row table[] = {
      {"https://vm.example.com", keep, "3X26X2fyfQ2ZrCGmpn6yioN8MGpJocLu67KNr1ONaTE=",
       "https://vm.example.com/cdn-cgi/access/cli?aud=" + aud +
           "&edge_token_transfer=true&redirect_url=https%3A%2F%2Fvm.example.com%3Faud%3D" + aud +
           "%26token%3D3X26X2fyfQ2ZrCGmpn6yioN8MGpJocLu67KNr1ONaTE%253D&send_org_token=true"
           "&token=3X26X2fyfQ2ZrCGmpn6yioN8MGpJocLu67KNr1ONaTE%3D"},
      {"https://vm.example.com", close, "zHZkO6x_cMNWEdM6pRgqXHrBCfmV5InRCm2UlcFK8X4=",
       "https://vm.example.com/cdn-cgi/access/cli?aud=" + aud +
           "&close_interstitial=true&edge_token_transfer=true"
           "&redirect_url=https%3A%2F%2Fvm.example.com%3Faud%3D" +
           aud +
           "%26token%3DzHZkO6x_cMNWEdM6pRgqXHrBCfmV5InRCm2UlcFK8X4%253D&send_org_token=true"
           "&token=zHZkO6x_cMNWEdM6pRgqXHrBCfmV5InRCm2UlcFK8X4%3D"},
      // There with "a=x y", which is refused here before it comes so far.
      {"https://vm.example.com/a%20b/c?z=1&a=x+y&z=2&u=%C3%BC&tilde=~-._!*()", keep,
       "8Kf_2syRp2ZlgMSNg-7Xxjgme9UdIFdxgyMcx1_ayzs=",
       "https://vm.example.com/cdn-cgi/access/cli?a=x+y&aud=" + aud +
           "&edge_token_transfer=true&redirect_url=https%3A%2F%2Fvm.example.com%2Fa%2520b%2Fc"
           "%3Fa%3Dx%2By%26aud%3D" +
           aud +
           "%26tilde%3D~-._%2521%252A%2528%2529"
           "%26token%3D8Kf_2syRp2ZlgMSNg-7Xxjgme9UdIFdxgyMcx1_ayzs%253D"
           "%26u%3D%25C3%25BC%26z%3D1%26z%3D2&send_org_token=true&tilde=~-._%21%2A%28%29"
           "&token=8Kf_2syRp2ZlgMSNg-7Xxjgme9UdIFdxgyMcx1_ayzs%3D&u=%C3%BC&z=1&z=2"},
      {"https://vm.example.com:8443/deep?token=old", close,
       "DDD3yZFiGmIZn8gRzI3LKjJfjNW1rWEVUF6GUMs8Vw8=",
       "https://vm.example.com:8443/cdn-cgi/access/cli?aud=" + aud +
           "&close_interstitial=true&edge_token_transfer=true"
           "&redirect_url=https%3A%2F%2Fvm.example.com%3A8443%2Fdeep%3Faud%3D" +
           aud +
           "%26token%3DDDD3yZFiGmIZn8gRzI3LKjJfjNW1rWEVUF6GUMs8Vw8%253D&send_org_token=true"
           "&token=DDD3yZFiGmIZn8gRzI3LKjJfjNW1rWEVUF6GUMs8Vw8%3D"},
  };
  Application application = test_application();
  application.audience = aud;
  for (const Row& row : table) {
    TransferOptions options;
    options.interstitial = row.interstitial;
    CHECK(login_url(parse_url(row.url), application, row.key, options) == row.expected);
  }
}

TEST_CASE("pairs of the query that cannot be decoded are left out of the login URL") {
  const std::string url =
      login_url(parse_url("vm.example.com/?a=%zz&b=1;c=2&d=%4&=e&f"), test_application(), "k", {});
  // net/url's ParseQuery: "%zz", "%4" and the pair with ";" are errors, the others count.
  CHECK(url.starts_with("https://vm.example.com/cdn-cgi/access/cli?=e&aud="));
  CHECK(url.find("&edge_token_transfer=true&f=&redirect_url=") != std::string::npos);
}

TEST_CASE("a public key is 32 bytes in padded base64url, and another one each time") {
  const TransferKey one, two;
  CHECK(one.public_key().size() == 44);
  CHECK(one.public_key().ends_with('='));
  CHECK(base64_decode(one.public_key(), Base64::url)->size() == 32);
  CHECK(one.public_key() != two.public_key());
}

TEST_CASE("a box for the key opens") {
  const TransferKey key;
  const Response response = sealed_answer("content", key.public_key());
  const auto sender = response.headers.find("service-public-key");
  CHECK(key.open(response.body, sender).reveal() == "content");
  CHECK(key.open(response.body + "\n", sender).reveal() == "content");
}

TEST_CASE("a box that is not for the key is refused") {
  const TransferKey key;
  const Response good = sealed_answer("content", key.public_key());
  const std::string sender(good.headers.find("service-public-key"));
  const std::string other(
      sealed_answer("content", key.public_key()).headers.find("service-public-key"));
  std::string tampered = *base64_decode(good.body, Base64::standard);
  tampered.back() = static_cast<char>(tampered.back() ^ 1);
  const auto encoded = [](std::string_view bytes) {
    return base64_encode(bytes, Base64::standard);
  };
  const std::pair<std::string, std::string> table[] = {
      {encoded(tampered), sender},
      {good.body, other},
      {good.body, ""},
      {good.body, base64_encode(std::string(32, '\0'), Base64::url)},
      {good.body, base64_encode(std::string(31, 'x'), Base64::url)},
      {good.body, base64_encode(*base64_decode(sender, Base64::url) + "x", Base64::url)},
      {good.body, sender.substr(0, 43)},
      {good.body, sender + " "},
      {"", sender},
      {"!", sender},
      {good.body + "!", sender},
      {good.body + "\n\n", sender},
      {encoded(std::string(24, 'n')), sender},
      {encoded(std::string(39, 'n')), sender},
      {encoded("short"), sender},
  };
  for (const auto& row : table) {
    CAPTURE(row.first);
    CAPTURE(row.second);
    CHECK(error_of([&] { key.open(row.first, row.second); }).kind() == ErrorKind::protocol);
  }
  CHECK_THROWS_AS(TransferKey().open(good.body, sender), Error);
}

TEST_CASE("polls go on until the tokens are there") {
  Login login;
  login.script({status(404), status(202), status(200), status(302), status(403, "no")});
  const TokenPair tokens = login.run();
  CHECK(tokens.app_token.reveal() == "a.b.c");
  CHECK(tokens.org_token.reveal() == "d.e.f");
  CHECK(login.service.requests().size() == 6);
  CHECK(login.told >= 6);
  const Request& poll = login.service.requests().front();
  CHECK(poll.method == Request::Method::get);
  CHECK(poll.headers.empty());
  CHECK(poll.timeout > 60s);
  CHECK(poll.timeout <= 75s);
}

TEST_CASE("FedRAMP has a transfer service of its own") {
  Login login;
  login.options.service = TransferOptions::Service::fedramp;
  login.place = "https://login.fed.cloudflareaccess.org/transfer/" + login.key.public_key();
  login.script({});
  CHECK(login.run().app_token.reveal() == "a.b.c");
}

TEST_CASE("dropped polls are survived, but not for ever") {
  Login login;
  login.script({drop, drop, status(404), drop, drop, drop});
  CHECK(login.run().app_token.reveal() == "a.b.c");

  login.service.on(login.place, drop);
  login.service.forget_requests();
  CHECK(error_of([&] { login.run(); }).kind() == ErrorKind::network);
  CHECK(login.service.requests().size() == 12);
}

TEST_CASE("a server error is tried a few times and then shown") {
  Login login;
  login.script({status(500), status(502), status(404), status(500)});
  CHECK(login.run().app_token.reveal() == "a.b.c");

  login.script({status(503), status(500), status(500, "out of\norder")});
  login.service.forget_requests();
  const Error error = error_of([&] { login.run(); });
  CHECK(error.kind() == ErrorKind::network);
  CHECK(error.message().find("out of") != std::string::npos);
  CHECK(error.message().find('\n') == std::string::npos);
  CHECK(login.service.requests().size() == 3);
}

TEST_CASE("polls that end at once do not spin") {
  Login login;
  login.options.pause = 20ms;
  login.script({status(404), status(404), status(404)});
  const auto started = std::chrono::steady_clock::now();
  login.run();
  CHECK(std::chrono::steady_clock::now() - started >= 60ms);
}

TEST_CASE("patience ends in a login that is needed still") {
  Login login;
  login.options.patience = 0s;
  login.script({});
  CHECK(error_of([&] { login.run(); }).kind() == ErrorKind::login_needed);
  CHECK(login.service.requests().empty());
}

TEST_CASE("an interruption passes through") {
  Login login;
  login.script(
      {[](const Request&) -> Response { throw Error(ErrorKind::login_needed, "interrupted"); }});
  CHECK(error_of([&] { login.run(); }).kind() == ErrorKind::login_needed);
  CHECK(login.service.requests().size() == 1);
}

TEST_CASE("a sealed text that is no token pair is refused") {
  for (const char* content :
       {"", "{}", "[]", "null", "{", R"({"app_token":""})", R"({"app_token":7})",
        R"({"org_token":"d.e.f"})", R"({"app_token":"a","app_token":"b"})"}) {
    CAPTURE(content);
    Login login;
    login.ready = sealed_answer(content, login.key.public_key());
    login.script({});
    CHECK(error_of([&] { login.run(); }).kind() == ErrorKind::protocol);
  }
  Login login;
  login.ready = sealed_answer(R"({"app_token":"a.b.c"})", login.key.public_key());
  login.script({});
  CHECK(login.run().org_token.empty());
}
