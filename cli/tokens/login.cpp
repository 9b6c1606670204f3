// `mayfly access login`: gets a token by a browser, the org token, a client certificate or a
// service token.
#include <fmt/core.h>
#include <unistd.h>

#include "access/answer/refusal.hpp"
#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "cli/flags/command.hpp"
#include "cli/session/session.hpp"
#include "cli/terminal/message.hpp"
#include "cli/terminal/time_text.hpp"
#include "cli/tokens/status_report.hpp"

namespace mayfly::cli {
namespace {

struct LoginFlags {
  std::string url, app;
  bool quiet = false, no_verbose = false, json = false;
  NetworkFlags network;
};

void bind(Parser& parser, LoginFlags& flags) {
  parser.add_option("URL", flags.url, "the application");
  parser.add_option("--app", flags.app, "the same as a flag; prints the token alone");
  parser.add_flag("-q,--quiet", flags.quiet, "do not print the token");
  parser.add_flag("--no-verbose", flags.no_verbose, "print the token alone");
  parser.add_flag("--json", flags.json, "print who is logged in until when, and no token");
  bind_network_flags(parser, flags.network);
}

Error not_accepted(const Url& url, const std::string& reference) {
  return Error(
      ErrorKind::refused,
      fmt::format("{} does not accept the token it has just issued ({})", url.authority(),
                  reference),
      "ask the administrator: Binding Cookie has to be off for clients that are no browser; or, if "
      "the application has Managed OAuth, log in with --oauth");
}

// Renews a stored token once if the edge refuses it, since it may have been revoked. A refusal of
// the new token is an error.
Grant verified_grant(Session& session, const Url& url) {
  if (session.service_token()) return session.credentials().earn_token(url);
  Grant grant = session.credentials().obtain(url);
  if (!has_token(grant) || session.credentials().accepted_at_edge(url, grant)) return grant;
  grant = session.credentials().renew(url, grant);
  if (!has_token(grant)) return grant;
  const EdgeVerdict verdict = session.credentials().accepted_at_edge(url, grant);
  if (verdict) return grant;
  if (verdict.has_challenge) {
    print_notice(fmt::format(
        "{} does not accept the token it has just issued; a login by Managed OAuth may help.\n",
        url.authority()));
    if (auto by_oauth = session.credentials().obtain_by_oauth(url, grant))
      return *std::move(by_oauth);
  }
  throw not_accepted(url, verdict.reference);
}

// Returns why there is no token to store, or "" if there is one.
std::string why_not_stored(const Url& url, const Grant& grant) {
  if (has_token(grant)) return "";
  const std::string name = url.authority();
  if (grant.guard == Grant::Guard::nobody)
    return fmt::format("{} lets everybody in: a policy of Access bypasses the login", name);
  if (grant.has_service_token)
    return fmt::format(
        "{} accepts the service token and issues no token for it (strict service tokens): nothing "
        "is stored, and the service token goes with each request",
        name);
  return fmt::format("{} issues no token to keep: every connection proves itself anew", name);
}

// Prints no token: programs would send it as an app token.
void report_oauth(const LoginFlags& flags, const Application& application,
                  const OauthToken& token) {
  if (flags.json) return print_result(login_json(application, token));
  if (!flags.quiet)
    print_notice(fmt::format(
        "logged in by Managed OAuth; the token {} (mayfly token --json)\n",
        token.renews_itself ? "renews itself" : "ends at " + clock_text(token.expires, now())));
}

void report(const LoginFlags& flags, const Url& url, const Grant& grant) {
  if (grant.oauth) return report_oauth(flags, *grant.application, *grant.oauth);
  const std::string nothing_stored = why_not_stored(url, grant);
  if (flags.json) print_result(login_json(*grant.application, grant.token, nothing_stored));
  if (flags.quiet) return;
  if (!nothing_stored.empty()) return print_notice(nothing_stored + ".\n");
  if (flags.json) return;
  // Before the token, which may leave its line open.
  if (::isatty(STDERR_FILENO) == 1) print_notice(logged_in_line(grant.token->claims, now()) + "\n");
  const std::string_view jwt = grant.token->jwt.reveal();
  if (flags.no_verbose || !flags.app.empty())
    print_result(jwt);
  else
    print_result(fmt::format("Successfully fetched your token:\n\n{}\n\n", jwt));
}

int run(LoginFlags& flags, const Invocation&) {
  if (flags.url.empty() && flags.app.empty())
    throw Error(ErrorKind::usage, "please provide a URL", "run: mayfly access login HOST");
  const Url url = parse_url(flags.url.empty() ? flags.app : flags.url);
  Session session({.application = url, .tells_login = false}, flags.network);
  const Grant grant = verified_grant(session, url);
  if (!grant.application) throw no_application(url, grant.answered);
  session.credentials().require_may_send(url, grant);  // The check may have taken seconds.
  report(flags, url, grant);
  return 0;
}

}  // namespace

Command login_command() {
  return {
      .name = "login",
      .summary = "log in to an application and store its token",
      .usage = {.synopsis = "login [flags] URL",
                .description =
                    "Log in to an application that Access protects, and store the token.",
                .examples =
                    "  mayfly login https://intranet.example.com\n"
                    "  mayfly login -q --cert example.pem --key key.pem https://api.example.com\n"
                    "  mayfly login --service-token-id ID --service-token-secret-file FILE HOST"},
      .bind = bind_and_run<LoginFlags, bind, run>};
}

}  // namespace mayfly::cli
