// `mayfly socks`: a SOCKS5 listener whose connections lead through a bastion application.
#include "access/listen/listener.hpp"
#include "cli/flags/command.hpp"
#include "cli/flags/host_argument.hpp"
#include "cli/session/session.hpp"
#include "cli/tunnel/confine.hpp"
#include "cli/tunnel/credential_source.hpp"
#include "cli/tunnel/listening.hpp"
#include "cli/tunnel/reports.hpp"
#include "cli/tunnel/run_stats.hpp"
#include "cli/tunnel/supervision.hpp"

namespace mayfly::cli {
namespace {

constexpr const char* default_address = "127.0.0.1:1080";  // RFC 1928 section 3: port 1080

struct SocksFlags {
  std::string hostname;
  std::vector<std::string> listeners, headers, arguments;
  TunnelTimes times;
  StatsFlags stats;
  SupervisionFlags supervision;
  NetworkFlags network;
};

void bind(Parser& parser, SocksFlags& flags) {
  bind_hostname(parser, flags.hostname, "the bastion application");
  bind_listeners(parser, flags.listeners,
                 "listen on HOST:PORT or unix:PATH (127.0.0.1:1080); repeatable");
  bind_headers(parser, flags.headers, "a header to send, \"Name: value\"; repeatable");
  bind_tunnel_times(parser, flags.times);
  bind_stats_flags(parser, flags.stats);
  bind_supervision(parser, flags.supervision);
  bind_host_and_listeners(parser, flags.arguments);
  bind_network_flags(parser, flags.network);
}

ListenerOptions options_of(const SocksFlags& flags, RunStats& stats,
                           const Supervision& supervision) {
  ListenerOptions options;
  options.tunnel.url = parse_url(flags.hostname);
  options.tunnel.headers =
      checked_headers(options.tunnel.url, flags.headers, flags.network.identity);
  options.tunnel.ping_interval = std::chrono::seconds(flags.times.ping_interval);
  options.tunnel.linger = std::chrono::seconds(flags.times.linger);
  options.ended = log_bad_ending;
  options.addresses = supervision.inherited();
  listen_at(flags.listeners, "Start SOCKS5 listener", options);
  stats.watch(options);
  supervision.watch_tunnels(options);
  confine_when_ready(options, flags.network, supervision.removed());
  supervision.watch(options, "socks5h", options.tunnel.url.authority());
  return options;
}

void listen(const SocksFlags& flags, RunStats& stats, const Supervision& supervision) {
  ListenerOptions options = options_of(flags, stats, supervision);
  Session session({.application = options.tunnel.url,
                   .storage = Storage::for_persons,
                   .log = supervision.log(),
                   .oauth = oauth_beside(options.tunnel.headers),
                   .watch_logins = [&](LoginPrompt& prompt) { supervision.watch_logins(prompt); }},
                  flags.network);
  options.tunnel.connection = session.connection();
  report_traffic_on_signal(options.tunnel);
  supervision.open_once(session, options.tunnel.url);
  run_socks_listener(options, credential_source(session, options.tunnel.url));
  notify_service_manager("STOPPING=1");
}

int run(SocksFlags& flags, const Invocation& invocation) {
  take_host_and_listeners(flags.hostname, flags.arguments, flags.listeners);
  require_hostname(flags.hostname, invocation);
  Supervision supervision(flags.supervision, flags.listeners);
  if (flags.listeners.empty() && supervision.inherited().empty())
    flags.listeners = {default_address};
  return supervision.run([&] {
    const RunStats::Time now = std::chrono::system_clock::now();
    with_stats(flags.stats, {parse_url(flags.hostname).authority(), RunStats::Of::listener, now},
               [&](RunStats& stats) {
                 listen(flags, stats, supervision);
                 return std::nullopt;
               });
    return 0;
  });
}

}  // namespace

Command socks_command() {
  return {
      .name = "socks",
      .summary = "SOCKS5 proxy to what is behind a bastion application",
      .usage = {.synopsis = "socks [flags] BASTION [ADDRESS...] [-- PROGRAM [ARGS...]]",
                .description =
                    "SOCKS5 proxy on this computer. Each connection names its own destination, "
                    "which a bastion application connects to; names are resolved there.",
                .examples = "  mayfly socks --hostname bastion.example.com --url 127.0.0.1:1080\n"
                            "  curl --socks5-hostname 127.0.0.1:1080 http://wiki.internal/\n"
                            "  ssh -o ProxyCommand='nc -X 5 -x 127.0.0.1:1080 %h %p' db.internal"},
      .bind = bind_and_run<SocksFlags, bind, run>};
}

}  // namespace mayfly::cli
