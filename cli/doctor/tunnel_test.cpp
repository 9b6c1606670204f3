#include "cli/doctor/tunnel.hpp"

#include <doctest/doctest.h>

using namespace mayfly;
using namespace mayfly::cli::doctor;
using State = CheckResult::State;

namespace {

const Url vm{.host = "vm.example.com", .path = "", .query = ""};

Response answer(int status, Headers headers = {}) {
  headers.add("cf-ray", "7-AMS");
  return {.status = status, .headers = std::move(headers), .body = {}};
}

Response login_page() {
  return answer(302, {{"Location", "https://acme.cloudflareaccess.com/cdn-cgi/access/login/vm"}});
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Heard heard(std::string text) {
  return {.text = std::move(text), .ending = std::nullopt};
}

Heard ended(Ending::How how, std::uint16_t code = 1006) {
  Ending ending;
  ending.how = how;
  ending.close_code = code;
  return {.text = "", .ending = ending};
}

}  // namespace

TEST_CASE("doctor: an upgrade that is done") {
  const CheckResult open = judge_upgrade(vm, answer(101), Shown::stored_token);
  CHECK(open.state == State::ok);
  CHECK(open.detail == "the tunnel opens (HTTP 101, cf-ray 7-AMS)");
}

TEST_CASE("doctor: an upgrade that is refused is explained") {
  const CheckResult forbidden = judge_upgrade(vm, answer(403), Shown::stored_token);
  CHECK(forbidden.state == State::failed);
  CHECK(forbidden.kind == ErrorKind::refused);
  CHECK(holds(forbidden.detail, "cf-ray 7-AMS"));
  CHECK(judge_upgrade(vm, answer(502), Shown::nothing).kind == ErrorKind::network);
  CHECK(judge_upgrade(vm, answer(200), Shown::nothing).kind == ErrorKind::protocol);
}

TEST_CASE("doctor: the login page means something else for each that was shown") {
  const CheckResult stored = judge_upgrade(vm, login_page(), Shown::stored_token);
  CHECK(stored.kind == ErrorKind::login_needed);
  CHECK(holds(stored.detail, "revoked"));
  CHECK(holds(stored.hint, "access login https://vm.example.com"));
  CHECK(holds(stored.hint, "Binding Cookie"));
  const CheckResult fresh = judge_upgrade(vm, login_page(), Shown::fresh_token);
  CHECK(fresh.kind == ErrorKind::refused);
  CHECK(holds(fresh.hint, "Binding Cookie"));
}

TEST_CASE("doctor: another team's login page does not blame the token") {
  const auto team = [] { return std::string("other.cloudflareaccess.com"); };
  const CheckResult finding = judge_upgrade(vm, login_page(), Shown::stored_token, team);
  CHECK(finding.kind == ErrorKind::protocol);
  CHECK(holds(finding.detail, "redirects elsewhere"));
}

TEST_CASE("doctor: an answer without a cf-ray is shown without one") {
  const Response page{
      .status = 302, .headers = {{"Location", "/cdn-cgi/access/login"}}, .body = {}};
  CHECK(holds(judge_upgrade(vm, page, Shown::stored_token).detail, "(HTTP 302)"));
}

TEST_CASE("doctor: what an SSH server says first, and others do") {
  // RFC 4253 section 4.2
  const CheckResult plain = judge_heard(heard("SSH-2.0-OpenSSH_9.2\r\n"));
  CHECK(plain.state == State::ok);
  CHECK(plain.detail == "SSH-2.0-OpenSSH_9.2");
  CHECK(judge_heard(heard("welcome\r\nSSH-2.0-x\r\n")).detail == "SSH-2.0-x");
  CHECK(judge_heard(heard("SSH-2.0-\x1b[31mx\n")).detail == "SSH-2.0-\\x1b[31mx");
  CHECK(is_ssh_server(heard("SSH-2.0-x\n")));

  const CheckResult other = judge_heard(heard("220 ready \x07\r\n"));
  CHECK(other.state == State::not_needed);
  CHECK(holds(other.detail, "\"220 ready \\x07\""));
  CHECK_FALSE(is_ssh_server(heard("220 SSH-2.0\r\n")));
  CHECK(judge_heard(heard("")).state == State::not_needed);
}

TEST_CASE("doctor: a tunnel that ends before a word came") {
  CHECK(judge_heard(ended(Ending::How::closed, 1000)).state == State::warning);
  CHECK(judge_heard(ended(Ending::How::cut)).kind == ErrorKind::network);
  CHECK(judge_heard(ended(Ending::How::cut)).state == State::failed);
  CHECK(judge_heard(ended(Ending::How::violation)).kind == ErrorKind::protocol);
}
