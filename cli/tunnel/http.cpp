// `mayfly http`: serves an application at a local address, for programs that cannot add its token.
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"
#include "access/forward/forwarder.hpp"
#include "access/forward/http_guard.hpp"
#include "access/system/descriptor.hpp"
#include "cli/flags/command.hpp"
#include "cli/flags/host_argument.hpp"
#include "cli/flags/network_flags.hpp"
#include "cli/session/http_address.hpp"
#include "cli/session/session.hpp"
#include "cli/tunnel/confine.hpp"
#include "cli/tunnel/credential_source.hpp"
#include "cli/tunnel/listening.hpp"
#include "cli/tunnel/supervision.hpp"

namespace mayfly::cli {
namespace {

constexpr const char* announcement = "Start HTTP listener";

struct HttpFlags {
  std::string hostname;
  std::vector<std::string> listeners, headers, aliases, arguments;
  bool allow_service_workers = false, no_rewrite = false;
  SupervisionFlags supervision;
  NetworkFlags network;
};

void bind(Parser& parser, HttpFlags& flags) {
  bind_hostname(parser, flags.hostname, "the application");
  bind_listeners(parser, flags.listeners,
                 "listen on HOST:PORT or unix:PATH (the application's own port); repeatable");
  parser.add_option("--allow-host", flags.aliases,
                    "answer to NAME or NAME:PORT too, as a proxy or port mapping in front calls "
                    "it; repeatable");
  parser.add_flag("--allow-service-workers", flags.allow_service_workers,
                  "let pages of the application install service workers");
  parser.add_flag("--no-rewrite", flags.no_rewrite,
                  "leave the application's URLs in JSON and in headers, except in redirects");
  bind_headers(parser, flags.headers, "a header for each request, \"Name: value\"; repeatable");
  bind_supervision(parser, flags.supervision);
  bind_host_and_listeners(parser, flags.arguments);
  bind_network_flags(parser, flags.network);
}

ForwarderOptions options_of(const HttpFlags& flags) {
  ForwarderOptions options;
  options.edge.url = parse_url(flags.hostname);
  options.edge.headers = checked_headers(options.edge.url, flags.headers, flags.network.identity);
  for (const std::string& alias : flags.aliases)
    if (!is_alias(alias))
      throw Error(ErrorKind::usage, fmt::format("\"{}\" is no host name", printable(alias)),
                  "give --allow-host NAME or NAME:PORT");
  options.aliases = flags.aliases;
  options.own_name = browser_name(options.edge.url);
  if (flags.allow_service_workers) options.service_workers = LocalPlace::ServiceWorkers::allowed;
  if (flags.no_rewrite) options.changed_urls = ChangedUrls::in_redirects;
  return options;
}

bool has_ipv6_loopback() {
  const Descriptor socket = open_socket({.family = AF_INET6});
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  return socket &&
         ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0;
}

// Listens at an origin of the application's own, which shares no service worker, storage or cache
// with another. Names under .localhost mean ::1 as well as 127.0.0.1 (RFC 6761 section 6.3): the
// listener takes both, since another user's program at the other would get the browser's requests.
void listen_at_own_address(ForwarderOptions& options, const StateDirectory& state) {
  const HttpPort own = http_port_of(state, options.edge.url);
  std::vector<std::string> addresses = {fmt::format("127.0.0.1:{}", own.port)};
  if (has_ipv6_loopback()) addresses.push_back(fmt::format("[::1]:{}", own.port));
  options.local_names = LocalPlace::LocalNames::own_only;
  listen_at(addresses, announcement, options);
  options.ready = [ready = std::move(options.ready), own,
                   left = addresses.size()](const ListenAddress& address) mutable {
    ready(address);
    if (--left == 0)
      log(LogLevel::info, "the application in a browser", {{"url", own.browser_address()}});
  };
}

void listen(const HttpFlags& flags, ForwarderOptions options, const Supervision& supervision) {
  Session session({.application = options.edge.url,
                   .storage = Storage::for_persons,
                   .log = supervision.log(),
                   .oauth = oauth_beside(options.edge.headers),
                   .watch_logins = [&](LoginPrompt& prompt) { supervision.watch_logins(prompt); }},
                  flags.network);
  options.addresses = supervision.inherited();
  if (flags.listeners.empty() && options.addresses.empty())
    listen_at_own_address(options, session.state());
  else
    listen_at(flags.listeners, announcement, options);
  confine_when_ready(options, flags.network, supervision.removed());
  supervision.watch(options, "http", options.edge.url.authority());
  options.edge.connection = session.connection();
  supervision.open_once(session, options.edge.url);
  run_forwarder(options, credential_source(session, options.edge.url));
  notify_service_manager("STOPPING=1");
}

int run(HttpFlags& flags, const Invocation& invocation) {
  take_host_and_listeners(flags.hostname, flags.arguments, flags.listeners);
  require_hostname(flags.hostname, invocation);
  const ForwarderOptions options = options_of(flags);
  Supervision supervision(flags.supervision, flags.listeners);
  return supervision.run([&] {
    listen(flags, options, supervision);
    return 0;
  });
}

}  // namespace

Command http_command() {
  return {.name = "http",
          .summary = "the application at a local address, with its token added",
          .usage = {.synopsis = "http [flags] HOST [ADDRESS...] [-- PROGRAM [ARGS...]]",
                    .description =
                        "The application as plain HTTP on this computer: each request is passed on "
                        "with the token. For programs that cannot add a header.",
                    .examples = "  mayfly http --hostname wiki.example.com\n"
                                "  mayfly http --hostname git.example.com --url 127.0.0.1:8001\n"
                                "  git clone http://127.0.0.1:8001/team/project.git"},
          .bind = bind_and_run<HttpFlags, bind, run>};
}

}  // namespace mayfly::cli
