// `mayfly access login`: a token from the browser, the org token, a client certificate or a service
// token.
#include <fmt/core.h>
#include <unistd.h>

#include "access/answer/refusal.hpp"
#include "access/core/error.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/session.hpp"
#include "cli/status/token_report.hpp"
#include "cli/terminal/message.hpp"

namespace mayfly::cli {
namespace {

struct LoginFlags {
  std::string url, app;
  bool quiet = false, no_verbose = false, json = false;
  NetworkFlags network;
};

void bind(Parser& parser, LoginFlags& flags, const Invocation& invocation) {
  parser.add_option("URL", flags.url, "the application");
  parser.add_option("--app", flags.app, "the same as a flag; prints the token alone");
  parser.add_flag("-q,--quiet", flags.quiet, "do not print the token");
  parser.add_flag("--no-verbose", flags.no_verbose, "print the token alone");
  parser.add_flag("--json", flags.json, "print who is logged in until when, and no token");
  bind_network_flags(parser, flags.network, invocation);
}

Error not_accepted(const Url& url, const std::string& reference) {
  return Error(
      ErrorKind::refused,
      fmt::format("{} does not accept the token it has just issued ({})", url.authority(),
                  reference),
      "ask the administrator: Binding Cookie has to be off for clients that are no browser");
}

// A stored token may have been revoked; a new one that is refused will not get better by asking
// again.
Grant verified_grant(Session& session, const Url& url) {
  Grant grant = session.credentials().obtain(url);
  if (!grant.token || session.credentials().accepted_at_edge(url, *grant.token)) return grant;
  grant = session.credentials().renew(url, grant);
  if (!grant.token) return grant;
  const EdgeVerdict verdict = session.credentials().accepted_at_edge(url, *grant.token);
  if (!verdict) throw not_accepted(url, verdict.reference);
  return grant;
}

void print_token(const LoginFlags& flags, std::string_view jwt) {
  if (flags.no_verbose || !flags.app.empty()) {
    print_product(jwt);
  } else {
    print_product(fmt::format("Successfully fetched your token:\n\n{}\n\n", jwt));
  }
}

void report(const LoginFlags& flags, const Url& url, const Grant& grant) {
  if (flags.json) return print_product(login_json(*grant.application, grant.token));
  if (flags.quiet) return;
  if (grant.guard == Grant::Guard::nobody) {
    return print_notice(fmt::format(
        "{} lets everybody in: a policy of Access bypasses the login.\n", url.authority()));
  }
  if (!grant.token) {
    return print_notice(fmt::format(
        "{} issues no token to keep: every connection proves itself anew.\n", url.authority()));
  }
  // First, since a token printed alone leaves its line open.
  if (::isatty(STDERR_FILENO) == 1) print_notice(logged_in_line(grant.token->claims, now()) + "\n");
  print_token(flags, grant.token->jwt.reveal());
}

}  // namespace

int run_login(const Invocation& invocation) {
  LoginFlags flags;
  Parser parser(
      {.synopsis = "login [flags] URL",
       .description = "Log in to an application that Access protects, and store the token.",
       .examples = "  mayfly login https://intranet.example.com\n"
                   "  mayfly login -q --cert example.pem --key key.pem https://api.example.com\n"
                   "  mayfly login --service-token-id ID --service-token-secret-file FILE HOST"});
  bind(parser, flags, invocation);
  if (parse_arguments(parser, invocation) == Parsed::help_shown) return 0;
  if (flags.url.empty() && flags.app.empty()) {
    throw Error(ErrorKind::usage, "please provide a URL", "run: mayfly access login URL");
  }
  const Url url = parse_url(flags.url.empty() ? flags.app : flags.url);

  flags.network.tells_login = false;
  Session session(url, flags.network, Storage::required);
  const Grant grant = verified_grant(session, url);
  if (!grant.application) throw no_application(url, grant.answered);
  report(flags, url, grant);
  return 0;
}

}  // namespace mayfly::cli
