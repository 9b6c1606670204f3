// `mayfly access token`: prints the stored token; no network while the application is known.

#include "access/answer/refusal.hpp"
#include "access/core/error.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/session.hpp"
#include "cli/status/token_report.hpp"
#include "cli/terminal/message.hpp"

namespace mayfly::cli {
namespace {

struct TokenFlags {
  std::string url, app;
  bool json = false;
  NetworkFlags network;
};

std::optional<Application> application_at(Session& session, const Url& url) {
  const ApplicationFinder finder(session.state(), session.send());
  // It sends the token nowhere, so the record may be of any age; man/mayfly-token.1 says so.
  if (auto application = finder.recall(url)) return application;
  Found found = finder.find(url, now());
  if (!found.application && turns_metadata_question_away(found.answer))
    throw no_application(url, found.answer);
  return std::move(found.application);
}

int say_none(const NetworkFlags& flags) {
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

}  // namespace

int run_token(const Invocation& invocation) {
  TokenFlags flags;
  Parser parser({.synopsis = "token [flags] URL",
                 .description = "Print the stored token of an application.",
                 .examples = "  mayfly token https://api.example.com\n"
                             "  curl -H \"cf-access-token: $(mayfly token \"$URL\")\" \"$URL\""});
  parser.add_option("URL", flags.url, "the application");
  parser.add_option("--app", flags.app, "the same as a flag");
  parser.add_flag("--json", flags.json, "print token, expiry, identity and audience as JSON");
  bind_network_flags(parser, flags.network, invocation);
  if (parse_arguments(parser, invocation) == Parsed::help_shown) return 0;
  if (flags.url.empty() && flags.app.empty()) {
    throw Error(ErrorKind::usage, "please provide a URL", "run: mayfly access token URL");
  }
  const Url url = parse_url(flags.url.empty() ? flags.app : flags.url);

  Session session(url, flags.network, Storage::unused);
  const auto application = application_at(session, url);
  if (!application) return say_none(flags.network);
  const auto token = load_app_token(session.state(), *application, now());
  if (!token) return say_none(flags.network);
  print_product(flags.json ? token_json(*application, *token) : std::string(token->jwt.reveal()));
  return 0;
}

}  // namespace mayfly::cli
