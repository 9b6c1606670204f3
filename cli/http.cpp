// `mayfly http`: an application at a local address, for programs that cannot add its token.
#include <fmt/format.h>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/transport/dial/upgrade.hpp"
#include "access/transport/forward/forwarder.hpp"
#include "access/transport/forward/http_guard.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/flags/place_flags.hpp"
#include "cli/flags/user_headers.hpp"
#include "cli/session.hpp"
#include "cli/tunnel/confinement.hpp"
#include "cli/tunnel/listening.hpp"
#include "cli/tunnel/readiness.hpp"
#include "cli/tunnel/tunnel_authorization.hpp"

namespace mayfly::cli {
namespace {

constexpr const char* usual_place = "127.0.0.1:8080";

struct HttpFlags {
  std::string hostname;
  std::vector<std::string> listeners, headers, aliases;
  NetworkFlags network;
};

void bind(Parser& parser, HttpFlags& flags, const Invocation& invocation) {
  bind_hostname(parser, flags.hostname, "the application");
  bind_listeners(parser, flags.listeners,
                 "listen on HOST:PORT or unix:PATH (127.0.0.1:8080); repeatable");
  parser.add_option("--allow-host", flags.aliases,
                    "answer to NAME or NAME:PORT too, as a proxy or port mapping in front calls "
                    "it; repeatable");
  bind_headers(parser, flags.headers, "a header for each request, \"Name: value\"; repeatable");
  bind_network_flags(parser, flags.network, invocation);
}

ForwarderOptions options_of(const HttpFlags& flags) {
  ForwarderOptions options;
  options.edge.url = parse_url(flags.hostname);
  options.edge.headers = user_headers(flags.headers);
  // For its checks: a bad header would be met at the first request only.
  static_cast<void>(upgrade_text({options.edge.url, options.edge.headers, {}, {}}));
  for (const std::string& alias : flags.aliases)
    if (!is_alias(alias))
      throw Error(ErrorKind::usage, fmt::format("\"{}\" is no host name", printable(alias)),
                  "give --allow-host NAME or NAME:PORT");
  options.aliases = flags.aliases;
  const bool usual = flags.listeners.empty();
  listen_at(usual ? std::vector<std::string>{usual_place} : flags.listeners, "Start HTTP listener",
            options);
  confine_when_ready(options, flags.network);
  return options;
}

}  // namespace

int run_http(const Invocation& invocation) {
  HttpFlags flags;
  Parser parser({.synopsis = "http [flags] --hostname HOST",
                 .description =
                     "The application as plain HTTP on this computer: each request is passed on "
                     "with the token. For programs that cannot add a header.",
                 .examples = "  mayfly http --hostname git.example.com --url 127.0.0.1:8080\n"
                             "  git clone http://127.0.0.1:8080/team/project.git"});
  bind(parser, flags, invocation);
  if (parse_arguments(parser, invocation) == Parsed::help_shown) return 0;
  if (flags.hostname.empty())
    throw Error(ErrorKind::usage, "which application? --hostname is missing",
                "run: mayfly http --hostname HOST");
  ForwarderOptions options = options_of(flags);
  Session session(flags.network, Storage::for_persons, LogSettings::Terminal::lines);
  options.edge.connection = session.connection();
  run_forwarder(options, tunnel_authorization(session, options.edge.url));
  notify_service_manager("STOPPING=1");
  return 0;
}

}  // namespace mayfly::cli
