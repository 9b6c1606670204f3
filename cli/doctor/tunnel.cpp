#include "cli/doctor/tunnel.hpp"

#include <fmt/core.h>

#include <optional>

#include "access/answer/marks.hpp"
#include "access/answer/refusal.hpp"
#include "access/core/text.hpp"
#include "cli/doctor/diagnosis.hpp"

namespace mayfly::cli::doctor {
namespace {

constexpr std::string_view version_begins = "SSH-";

std::string_view without_line_end(std::string_view line) {
  while (line.ends_with('\r') || line.ends_with('\n')) line.remove_suffix(1);
  return line;
}

// Other lines may come before it (RFC 4253 section 4.2).
std::optional<std::string_view> version_line(std::string_view text) {
  for (const std::string_view line : split(text, '\n'))
    if (line.starts_with(version_begins)) return without_line_end(line);
  return std::nullopt;
}

CheckResult judge_login_page(const Url& url, const Response& answer, Shown shown) {
  const Error refusal = explain_refusal(url, answer);
  if (shown != Shown::stored_token) return failed(refusal);
  return failed(
      {ErrorKind::login_needed,
       fmt::format("the edge no longer takes the stored token: it was revoked, or is bound "
                   "to a browser ({})",
                   answer.reference()),
       fmt::format("run: mayfly access logout {0} && mayfly access login {0}; if that does "
                   "not help, an administrator can turn off Binding Cookie for this "
                   "application",
                   pasted_word(printable(url.origin() + url.path)))});
}

CheckResult judge_end(const Ending& ending) {
  const std::string reason = ending.reason.empty() ? "" : ": " + ending.reason;
  if (ending.how == Ending::How::violation)
    return failed({ErrorKind::protocol, "the peer breaks the WebSocket protocol" + reason,
                   "something on the way changes what passes through it"});
  const std::string detail = fmt::format(
      "the tunnel was closed before a word came, close code {}{}", ending.close_code, reason);
  const std::string hint =
      "check that the service behind the tunnel runs, and lets the tunnel's host in";
  if (ending.how == Ending::How::closed) return warning(detail, hint);
  return failed({ErrorKind::network, detail, hint});
}

// sshd sends its version at once, unless it looks up names or is overloaded.
constexpr std::chrono::seconds banner_takes{4};

Response open(Diagnosis& diagnosis) {
  Headers headers = *diagnosis.credential;
  if (diagnosis.application && diagnosis.service_token) {
    headers.add(service_token_headers(*diagnosis.service_token));
    if (diagnosis.shown == Shown::nothing) diagnosis.shown = Shown::service_token;
  }
  const bool has_token = headers.contains("Cf-Access-Token") || headers.contains("Authorization");
  return diagnosis.probe().upgrade(std::move(headers), [&](const Headers&) {
    return !has_token || diagnosis.may_send_tokens();
  });
}

bool is_refused_by_policy(const Diagnosis& diagnosis, const Response& answer) {
  return answer.status == 403 && diagnosis.credential->contains("Cf-Access-Token") &&
         is_refusal_of_access(diagnosis.url, answer.status, answer.headers);
}

}  // namespace

CheckResult judge_upgrade(const Url& url, const Response& answer, Shown shown, const TeamOf& team) {
  if (answer.status == 101) return well(fmt::format("the tunnel opens ({})", answer.reference()));
  if (wants_login(url, answer.status, answer.headers, team))
    return judge_login_page(url, answer, shown);
  return failed(explain_refusal(url, answer, team));
}

bool is_ssh_server(const Heard& heard) {
  return version_line(heard.text).has_value();
}

CheckResult judge_heard(const Heard& heard) {
  if (const auto version = version_line(heard.text)) return well(printable(*version));
  if (!heard.text.empty()) {
    const std::string_view first = std::string_view(heard.text).substr(0, heard.text.find('\n'));
    return not_needed(
        fmt::format("no SSH server: it says \"{}\"", printable(without_line_end(first), 80)));
  }
  if (heard.ending) return judge_end(*heard.ending);
  return not_needed("nothing came: no SSH server, or one that is silent");
}

CheckResult check_upgrade(Diagnosis& diagnosis) {
  if (!diagnosis.credential) return skipped("nothing is there that opens the application");
  Response answer = open(diagnosis);
  // Tries again as every command does, since the stored token may have been revoked.
  if (diagnosis.shown == Shown::stored_token &&
      wants_login(diagnosis.url, answer.status, answer.headers, diagnosis.team())) {
    if (const auto fresh = exchanged_token(diagnosis)) {
      diagnosis.credential = {{"Cf-Access-Token", std::string(fresh->jwt.reveal())}};
      diagnosis.shown = Shown::fresh_token;
      answer = open(diagnosis);
    }
  }
  diagnosis.tunnel_is_open = answer.status == 101;
  CheckResult result = judge_upgrade(diagnosis.url, answer, diagnosis.shown, diagnosis.team());
  const std::string_view token = diagnosis.credential->find("Cf-Access-Token");
  if (!token.empty() && is_refused_by_policy(diagnosis, answer))
    add_person(result, diagnosis, diagnosis.url, Secret(token));
  return result;
}

CheckResult check_ssh_banner(Diagnosis& diagnosis) {
  if (!diagnosis.tunnel_is_open) return skipped("no tunnel is open");
  const Heard heard = diagnosis.probe().hear("SSH-", banner_takes);
  diagnosis.origin = is_ssh_server(heard) ? Origin::ssh_server : Origin::other;
  return judge_heard(heard);
}

}  // namespace mayfly::cli::doctor
