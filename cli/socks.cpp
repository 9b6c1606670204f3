// `mayfly socks`: a SOCKS5 proxy whose connections come out behind a bastion application.
#include "access/dial/upgrade.hpp"
#include "access/listen/listener.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/flags/place_flags.hpp"
#include "cli/flags/user_headers.hpp"
#include "cli/session.hpp"
#include "cli/tunnel/confinement.hpp"
#include "cli/tunnel/listening.hpp"
#include "cli/tunnel/readiness.hpp"
#include "cli/tunnel/run_stats.hpp"
#include "cli/tunnel/traffic_report.hpp"
#include "cli/tunnel/tunnel_authorization.hpp"

namespace mayfly::cli {
namespace {

constexpr const char* usual_place = "127.0.0.1:1080";  // RFC 1928 section 3: port 1080

struct SocksFlags {
  std::string hostname;
  std::vector<std::string> listeners, headers;
  unsigned ping_interval = 30;
  StatsFlags stats;
  NetworkFlags network;
};

void bind(Parser& parser, SocksFlags& flags, const Invocation& invocation) {
  bind_hostname(parser, flags.hostname, "the bastion application");
  bind_listeners(parser, flags.listeners,
                 "listen on HOST:PORT or unix:PATH (127.0.0.1:1080); repeatable");
  bind_headers(parser, flags.headers, "a header to send, \"Name: value\"; repeatable");
  parser
      .add_option("--ping-interval", flags.ping_interval, "seconds between pings, 0 for none (30)")
      .range(0, 3600);
  bind_stats_flags(parser, flags.stats);
  bind_network_flags(parser, flags.network, invocation);
}

ListenerOptions options_of(const SocksFlags& flags, RunStats& stats) {
  ListenerOptions options;
  options.tunnel.url = parse_url(flags.hostname);
  options.tunnel.headers = user_headers(flags.headers);
  // For its checks: a bad header would be met at the first connection only.
  static_cast<void>(upgrade_text({options.tunnel.url, options.tunnel.headers, {}, {}}));
  options.tunnel.ping_interval = std::chrono::seconds(flags.ping_interval);
  options.ended = log_bad_ending;
  const bool usual = flags.listeners.empty();
  listen_at(usual ? std::vector<std::string>{usual_place} : flags.listeners,
            "Start SOCKS5 listener", options);
  stats.watch(options);
  confine_when_ready(options, flags.network);
  return options;
}

void listen(const SocksFlags& flags, RunStats& stats) {
  ListenerOptions options = options_of(flags, stats);
  Session session(options.tunnel.url, flags.network, Storage::for_persons,
                  LogSettings::Terminal::lines);
  options.tunnel.connection = session.connection();
  report_traffic_on_signal(options.tunnel);
  run_socks_listener(options, tunnel_authorization(session, options.tunnel.url));
  notify_service_manager("STOPPING=1");
}

}  // namespace

int run_socks(const Invocation& invocation) {
  SocksFlags flags;
  Parser parser(
      {.synopsis = "socks [flags] --hostname BASTION",
       .description = "SOCKS5 proxy on this computer. Each connection names its own destination, "
                      "which a bastion application connects to; names are resolved there.",
       .examples = "  mayfly socks --hostname bastion.example.com --url 127.0.0.1:1080\n"
                   "  curl --socks5-hostname 127.0.0.1:1080 http://wiki.internal/\n"
                   "  ssh -o ProxyCommand='nc -X 5 -x 127.0.0.1:1080 %h %p' db.internal"});
  bind(parser, flags, invocation);
  if (parse_arguments(parser, invocation) == Parsed::help_shown) return 0;
  if (flags.hostname.empty())
    throw Error(ErrorKind::usage, "which bastion application? --hostname is missing",
                "run: mayfly socks --hostname HOST");
  const RunStats::Time now = std::chrono::system_clock::now();
  with_stats(flags.stats, {parse_url(flags.hostname).authority(), RunStats::Of::listener, now},
             [&](RunStats& stats) {
               listen(flags, stats);
               return std::nullopt;
             });
  return 0;
}

}  // namespace mayfly::cli
