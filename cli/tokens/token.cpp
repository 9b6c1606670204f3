// `mayfly access token`: prints the stored token, without network if the application is recorded.
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

struct TokenFlags {
  std::string url, app;
  bool json = false;
  NetworkFlags network;
};

void bind(Parser& parser, TokenFlags& flags) {
  parser.add_option("URL", flags.url, "the application");
  parser.add_option("--app", flags.app, "the same as a flag");
  parser.add_flag("--json", flags.json, "print token, expiry, identity and audience as JSON");
  bind_network_flags(parser, flags.network);
}

std::optional<Application> application_at(Session& session, const Url& url) {
  const ApplicationFinder finder(session.state(), session.send());
  // The token is sent nowhere, so the record may be of any age (mayfly-token(1) says so).
  if (auto application = finder.recall(url)) return application;
  Found found = finder.find(url, now());
  if (!found.application && turns_metadata_question_away(found.answer))
    throw no_application(url, found.answer);
  return std::move(found.application);
}

int report_no_token(const IdentityFlags& flags) {
  if (flags.have_service_token()) {
    print_notice(
        "There is no token for this application. A service token goes with each request as the two "
        "headers CF-Access-Client-Id and CF-Access-Client-Secret, and organisations with strict "
        "service tokens issue no token in exchange for it; others do, to: mayfly login.\n");
    return static_cast<int>(ErrorKind::failed);
  }
  print_notice(
      "Unable to find token for provided application. Please run login command to generate "
      "token.\n");
  if (!flags.certificate.empty()) {
    print_notice(
        "When the policy's session duration is No Duration there is no token to keep: each "
        "connection proves itself with the client certificate.\n");
  }
  return static_cast<int>(ErrorKind::login_needed);
}

// The token of Managed OAuth is printed with --json alone, where its header is named: a program
// that expects an app token would send it as one.
int print_oauth_token(Session& session, const Url& url, const TokenFlags& flags) {
  if (!flags.json) return report_no_token(flags.network.identity);
  const auto grant = session.credentials().stored(url);
  if (!grant || !grant->oauth) return report_no_token(flags.network.identity);
  session.credentials().require_may_send(url, *grant);
  print_result(token_json(*grant->application, *grant->oauth));
  return 0;
}

int run(TokenFlags& flags, const Invocation&) {
  if (flags.url.empty() && flags.app.empty())
    throw Error(ErrorKind::usage, "please provide a URL", "run: mayfly access token URL");
  const Url url = parse_url(flags.url.empty() ? flags.app : flags.url);
  Session session({.application = url, .storage = Storage::unused}, flags.network);
  const auto application = application_at(session, url);
  if (!application) return report_no_token(flags.network.identity);
  const bool prefers_oauth = flags.network.interaction.oauth;
  const auto token =
      prefers_oauth ? std::nullopt : load_app_token(session.state(), *application, now());
  if (!token) return print_oauth_token(session, url, flags);
  print_result(flags.json ? token_json(*application, *token) : std::string(token->jwt.reveal()));
  return 0;
}

}  // namespace

Command token_command() {
  return {.name = "token",
          .summary = "print the stored token",
          .usage = {.synopsis = "token [flags] URL",
                    .description = "Print the stored token of an application.",
                    .examples = "  mayfly token https://api.example.com\n"
                                "  curl -H \"cf-access-token: $(mayfly token \"$URL\")\" \"$URL\""},
          .bind = bind_and_run<TokenFlags, bind, run>};
}

}  // namespace mayfly::cli
