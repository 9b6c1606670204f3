// `mayfly access token`: prints the stored token; no network while the application is known.
#include <fmt/format.h>

#include "access/core/error.hpp"
#include "cli/arguments.hpp"
#include "cli/message.hpp"
#include "cli/session.hpp"

namespace mayfly::cli {
namespace {

struct TokenFlags {
  std::string url, app;
  NetworkFlags network;
};

std::optional<StoredToken> stored_token(Session& session, const Url& url) {
  const ApplicationFinder finder(session.state(), session.send());
  auto application = finder.known(url);
  if (!application) application = finder.find(url, now());
  if (!application) return std::nullopt;
  return load_app_token(session.state(), *application, now());
}

}  // namespace

int run_token(const Invocation& invocation) {
  TokenFlags flags;
  const auto parser = make_parser({.synopsis = "token [flags] URL",
                                   .description = "Print the stored token of an application.",
                                   .examples = "  curl -H \"cf-access-token: $(mayfly token "
                                               "api.example.com)\" https://api.example.com/"});
  parser->add_option("URL", flags.url, "the application");
  parser->add_option("--app", flags.app, "the same as a flag");
  bind_network_flags(*parser, flags.network, invocation);
  if (parse_arguments(*parser, invocation) == Parsed::help_shown) return 0;
  if (flags.url.empty() && flags.app.empty()) {
    throw Error(ErrorKind::usage, "please provide a URL", "run: mayfly access token URL");
  }
  const Url url = parse_url(flags.url.empty() ? flags.app : flags.url);

  Session session(flags.network);
  const auto token = stored_token(session, url);
  if (!token) {
    print_notice(
        "Unable to find token for provided application. Please run login command to generate "
        "token.\n");
    return static_cast<int>(ErrorKind::login_needed);
  }
  print_product(token->jwt.reveal());
  return 0;
}

}  // namespace mayfly::cli
