#include "cli/doctor/identity.hpp"

#include <doctest/doctest.h>

using namespace mayfly;
using namespace mayfly::cli::doctor;
using namespace std::chrono_literals;
using State = CheckResult::State;

namespace {

const Url vm{.host = "vm.example.com", .path = "", .query = ""};
const std::chrono::sys_seconds now{1'700'000'000s};

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Response answer(int status, std::string body = {}) {
  return {.status = status, .headers = {{"cf-ray", "7-AMS"}}, .body = std::move(body)};
}

TokenClaims token(std::string email, std::chrono::seconds left) {
  TokenClaims claims;
  claims.email = std::move(email);
  claims.expires = now + left;
  return claims;
}

CertificateFacts certificate(std::chrono::sys_seconds until) {
  return {.subject = "CN=sensor-7",
          .issuer = "CN=Device CA",
          .common_name = "sensor-7",
          .names = {},
          .not_before = now - 1h,
          .not_after = until};
}

}  // namespace

TEST_CASE("doctor: the application") {
  const Application application{"acme.cloudflareaccess.com", std::string(64, 'a'), "*.example.com"};
  const CheckResult found = judge_application(vm, application, answer(302));
  CHECK(found.state == State::ok);
  CHECK(holds(found.detail, "\"*.example.com\" of acme.cloudflareaccess.com"));
  CHECK(holds(found.detail, "audience aaaaaaaaaaaa..."));
}

TEST_CASE("doctor: no application, and perhaps why") {
  const CheckResult none = judge_application(vm, std::nullopt, answer(200));
  CHECK(none.state == State::failed);
  CHECK(none.kind == ErrorKind::failed);
  CHECK(holds(none.detail, "no Access application"));
  CHECK(holds(none.detail, "cf-ray 7-AMS"));
  const CheckResult down = judge_application(vm, std::nullopt, answer(530, "error code: 1033"));
  CHECK(down.kind == ErrorKind::network);
  CHECK(holds(down.detail, "no tunnel is connected"));
  CHECK(holds(down.hint, "cloudflared"));
}

TEST_CASE("doctor: client certificates") {
  CertificateRequest asked;
  asked.asked = true;
  asked.acceptable_issuers = {"CN=Device CA"};
  const auto judged = [&](std::chrono::seconds left, const CertificateRequest& request,
                          CertificateUse use) {
    return judge_client_certificate({certificate(now + left), request, use}, now);
  };
  using Use = CertificateUse;
  const CheckResult good = judged(24h * 30, asked, Use::accepted);
  CHECK(good.state == State::ok);
  CHECK(holds(good.detail, "\"CN=sensor-7\", issued by \"CN=Device CA\""));
  CHECK(holds(judged(24h * 30, asked, Use::accepted_before_login).detail, "login"));
  CHECK(judged(24h * 30, asked, Use::not_shown).state == State::ok);
  CHECK(judged(24h, asked, Use::accepted).state == State::warning);
  const CheckResult unasked = judged(24h * 30, {}, Use::not_shown);
  CHECK(unasked.state == State::warning);
  CHECK(holds(unasked.detail, "did not ask"));

  CHECK(judge_no_client_certificate({}).state == State::not_needed);
  CHECK(holds(judge_no_client_certificate(asked).detail, "\"CN=Device CA\""));
}

TEST_CASE("doctor: service tokens") {
  CHECK(judge_service_token("a\x1b.access", std::nullopt, now).detail ==
        "a\\x1b.access is accepted, and has to be shown each time");
  CHECK(holds(judge_service_token("a", token("", 1h), now).detail, "ends in 1 h"));
}

TEST_CASE("doctor: tokens that are there") {
  const CheckResult stored = judge_stored_token(
      {.application = token("alice@example.com", 2h + 5min), .team = token("a", 24h)}, now);
  CHECK(stored.state == State::ok);
  CHECK(holds(stored.detail, "alice@example.com, ends in 2 h 5 min"));
  CHECK(holds(stored.detail, "the team's ends in 1 d"));
  CHECK(holds(judge_stored_token({.application = token("a", 1h), .team = {}}, now).detail,
              "no token of the team"));
  const CheckResult earned = judge_earned_token(token("alice@example.com", 1h), now);
  CHECK(earned.state == State::ok);
  CHECK(holds(earned.detail, "alice@example.com"));
}

TEST_CASE("doctor: no token that counts") {
  const CheckResult none = judge_missing_token(vm, {}, now);
  CHECK(none.state == State::failed);
  CHECK(none.kind == ErrorKind::login_needed);
  CHECK(none.hint == "run: mayfly access login https://vm.example.com");
  CHECK(holds(none.detail, "none is stored"));
  const CheckResult ended = judge_missing_token(
      vm, {.application = token("a\x1b@example.com", -2h), .team = token("a", -1h)}, now);
  CHECK(holds(ended.detail, "a\\x1b@example.com, ended 2 h ago"));
  CHECK(holds(ended.detail, "the team's ended 1 h ago"));
  const CheckResult refused =
      judge_missing_token(vm, {.application = {}, .team = token("a", 1h)}, now);
  CHECK(holds(refused.detail, "not accepted"));
}
