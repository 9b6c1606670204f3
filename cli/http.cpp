// `mayfly http`: an application at a local address, for programs that cannot add its token.
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"
#include "access/dial/upgrade.hpp"
#include "access/forward/forwarder.hpp"
#include "access/forward/http_guard.hpp"
#include "access/system/descriptor.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/flags/place_flags.hpp"
#include "cli/flags/user_headers.hpp"
#include "cli/session.hpp"
#include "cli/tunnel/confinement.hpp"
#include "cli/tunnel/http_address.hpp"
#include "cli/tunnel/listening.hpp"
#include "cli/tunnel/readiness.hpp"
#include "cli/tunnel/tunnel_authorization.hpp"

namespace mayfly::cli {
namespace {

constexpr const char* announcement = "Start HTTP listener";

struct HttpFlags {
  std::string hostname;
  std::vector<std::string> listeners, headers, aliases;
  bool allow_service_workers = false;
  NetworkFlags network;
};

void bind(Parser& parser, HttpFlags& flags, const Invocation& invocation) {
  bind_hostname(parser, flags.hostname, "the application");
  bind_listeners(parser, flags.listeners,
                 "listen on HOST:PORT or unix:PATH (the application's own port); repeatable");
  parser.add_option("--allow-host", flags.aliases,
                    "answer to NAME or NAME:PORT too, as a proxy or port mapping in front calls "
                    "it; repeatable");
  parser.add_flag("--allow-service-workers", flags.allow_service_workers,
                  "let pages of the application install service workers");
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
  options.own_name = browser_name(options.edge.url);
  if (flags.allow_service_workers) options.service_workers = LocalPlace::ServiceWorkers::allowed;
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

// An origin of its own, so that no other application's service worker, storage or cache is there.
// Names under .localhost mean ::1 as well as 127.0.0.1 (RFC 6761 section 6.3): if this listener did
// not take both, another user's program could take the other, and would get the browser's requests.
void listen_at_own_address(ForwarderOptions& options, const StateDirectory& state) {
  const HttpPort own = http_port_of(state, options.edge.url);
  std::vector<std::string> places = {fmt::format("127.0.0.1:{}", own.port)};
  if (has_ipv6_loopback()) places.push_back(fmt::format("[::1]:{}", own.port));
  options.local_names = LocalPlace::LocalNames::own_only;
  listen_at(places, announcement, options);
  options.ready = [ready = std::move(options.ready), own,
                   left = places.size()](const ListenAddress& address) mutable {
    ready(address);
    if (--left == 0)
      log(LogLevel::info, "the application in a browser", {{"url", own.browser_address()}});
  };
}

}  // namespace

int run_http(const Invocation& invocation) {
  HttpFlags flags;
  Parser parser({.synopsis = "http [flags] --hostname HOST",
                 .description =
                     "The application as plain HTTP on this computer: each request is passed on "
                     "with the token. For programs that cannot add a header.",
                 .examples = "  mayfly http --hostname wiki.example.com\n"
                             "  mayfly http --hostname git.example.com --url 127.0.0.1:8001\n"
                             "  git clone http://127.0.0.1:8001/team/project.git"});
  bind(parser, flags, invocation);
  if (parse_arguments(parser, invocation) == Parsed::help_shown) return 0;
  if (flags.hostname.empty())
    throw Error(ErrorKind::usage, "which application? --hostname is missing",
                "run: mayfly http --hostname HOST");
  ForwarderOptions options = options_of(flags);
  Session session(options.edge.url, flags.network, Storage::for_persons,
                  LogSettings::Terminal::lines);
  if (flags.listeners.empty())
    listen_at_own_address(options, session.state());
  else
    listen_at(flags.listeners, announcement, options);
  confine_when_ready(options, flags.network);
  options.edge.connection = session.connection();
  run_forwarder(options, tunnel_authorization(session, options.edge.url));
  notify_service_manager("STOPPING=1");
  return 0;
}

}  // namespace mayfly::cli
