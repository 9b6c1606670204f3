// `mayfly access ssh` (= tcp, rdp, smb): the tunnel on stdin and stdout, or behind a listener.
#include "access/tunnel/tunnel.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "access/core/error.hpp"
#include "access/core/secret.hpp"
#include "access/core/text.hpp"
#include "access/dial/upgrade.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/flags/place_flags.hpp"
#include "cli/flags/user_headers.hpp"
#include "cli/session.hpp"
#include "cli/terminal/message.hpp"
#include "cli/tunnel/confinement.hpp"
#include "cli/tunnel/ending_line.hpp"
#include "cli/tunnel/listening.hpp"
#include "cli/tunnel/payload_log.hpp"
#include "cli/tunnel/readiness.hpp"
#include "cli/tunnel/run_stats.hpp"
#include "cli/tunnel/traffic_report.hpp"
#include "cli/tunnel/tunnel_authorization.hpp"

namespace mayfly::cli {
namespace {

struct TunnelFlags {
  std::string hostname, destination;
  std::vector<std::string> listeners, headers, positionals;
  std::string connect_to;
  std::optional<std::uint64_t> debug_stream;
  unsigned ping_interval = 30;
  StatsFlags stats;
  NetworkFlags network;
  bool listens() const { return !listeners.empty() || !positionals.empty(); }
};

void bind(Parser& parser, TunnelFlags& flags, const Invocation& invocation) {
  bind_hostname(parser, flags.hostname, "the application");
  parser.add_option("--destination", flags.destination, "HOST:PORT behind a bastion application")
      .envname("TUNNEL_SERVICE_DESTINATION")
      .type_name("HOST:PORT");
  bind_listeners(parser, flags.listeners,
                 "listen on HOST:PORT or unix:PATH instead of stdin and stdout; repeatable");
  bind_headers(parser, flags.headers, "a header to send, \"Name: value\"; repeatable");
  parser
      .add_option("--ping-interval", flags.ping_interval, "seconds between pings, 0 for none (30)")
      .range(0, 3600);
  bind_stats_flags(parser, flags.stats);
  parser.add_option("--connect-to", flags.connect_to, "HOST, HOST:PORT or SNI:PORT:HOST").group("");
  parser.add_option("--debug-stream", flags.debug_stream, "log up to this many payloads").group("");
  parser.add_option("LISTENER", flags.positionals, "the same as --url");
  bind_network_flags(parser, flags.network, invocation);
}

Headers headers_of(const TunnelFlags& flags) {
  Headers headers = user_headers(flags.headers);
  if (!flags.destination.empty()) headers.add("Cf-Access-Jump-Destination", flags.destination);
  return headers;
}

// cloudflared's HOST, HOST:PORT and SNI:PORT:HOST in curl's form. Unlike there, the certificate is
// still verified, and against the application's own name: the three-part form is no way to trust
// anybody.
std::string curl_connect_to(const std::string& text, const Url& url) {
  const auto parts = split(text, ':');
  if (parts.size() > 3) {
    throw Error(ErrorKind::usage, fmt::format("{} is no place to connect to", printable(text)),
                "write HOST, HOST:PORT or SNI:PORT:HOST");
  }
  const std::string_view host = parts.size() == 3 ? parts[2] : parts[0];
  const std::string_view port = parts.size() > 1 ? parts[1] : "443";
  return fmt::format("{}:{}:{}:{}", url.host, url.port, host, port);
}

TunnelOptions tunnel_options(const TunnelFlags& flags) {
  TunnelOptions options;
  options.url = parse_url(flags.hostname);
  options.headers = headers_of(flags);
  // For its checks: a listener would meet a bad header at its first connection only.
  static_cast<void>(upgrade_text({options.url, options.headers, {}, {}}));
  options.ping_interval = std::chrono::seconds(flags.ping_interval);
  if (flags.debug_stream) {
    const std::uint64_t most = *flags.debug_stream > 0 ? *flags.debug_stream : default_payloads;
    options.observer = payload_log(options.url.host, most);
  }
  return options;
}

// Its exit code; throws for an end that was none.
int judge(const Ending& ending) {
  switch (ending.how) {
    case Ending::How::closed:
    case Ending::How::interrupted:
      return 0;
    case Ending::How::cut:
      throw Error(ErrorKind::network, "the tunnel was cut: " + ending_line(ending));
    case Ending::How::undelivered:
      throw Error(ErrorKind::failed, ending_line(ending),
                  "what came from the application went nowhere: look at where stdout leads");
    case Ending::How::violation:
      throw Error(ErrorKind::protocol,
                  "the peer broke the WebSocket protocol: " + ending_line(ending));
  }
  return 1;
}

void listen(const TunnelFlags& flags, const TunnelOptions& tunnel,
            const Authorization& authorization, RunStats& stats) {
  ListenerOptions options;
  options.tunnel = tunnel;
  std::vector<std::string> places = flags.listeners;
  places.insert(places.end(), flags.positionals.begin(), flags.positionals.end());
  listen_at(places, "Start Websocket listener", options);
  options.ended = log_bad_ending;
  stats.watch(options);
  confine_when_ready(options, flags.network);
  run_listener(options, authorization);
  notify_service_manager("STOPPING=1");
}

// As for requests (session.cpp). Nothing where nobody sees it.
std::function<void(std::chrono::seconds)> progress_of_dialing(const Url& url) {
  if (::isatty(STDERR_FILENO) != 1) return {};
  const auto line = std::make_shared<std::optional<ProgressLine>>();
  return [host = url.host, line](std::chrono::seconds waited) {
    if (waited == std::chrono::seconds(0)) return line->reset();
    if (waited < std::chrono::seconds(2)) return;
    if (!*line) line->emplace();
    (*line)->show(fmt::format("waiting for {} ({} s)", host, waited.count()));
  };
}

// Nothing for a listener.
std::optional<Ending> carry(TunnelFlags& flags, TunnelOptions options, RunStats& stats) {
  if (!flags.connect_to.empty()) {
    flags.network.connect_to.push_back(curl_connect_to(flags.connect_to, options.url));
  }
  std::optional<Session> session(
      std::in_place, options.url, flags.network, Storage::for_persons,
      flags.listens() ? LogSettings::Terminal::lines : LogSettings::Terminal::silent);
  wipe(flags.network.service_token_secret);  // the session has it
  options.connection = session->connection();
  report_traffic_on_signal(options);
  Authorization authorization = tunnel_authorization(*session, options.url);
  if (flags.listens()) {
    listen(flags, options, authorization, stats);
    return std::nullopt;
  }
  const auto opened = [&] {
    authorization = {};  // what opened the tunnel is of no more use to it
    session.reset();
    confine_running_tunnel();
  };
  const Ending ending =
      run_stdio_tunnel(options, authorization, opened, progress_of_dialing(options.url));
  stats.add(ending);
  log_ending(ending);
  return ending;
}

}  // namespace

int run_tunnel(const Invocation& invocation) {
  TunnelFlags flags;
  Parser parser(
      {.synopsis = "ssh [flags] --hostname HOST",
       .description =
           "Tunnel to an application: on stdin and stdout (as ssh's ProxyCommand), or for "
           "every connection to a local listener. tcp, rdp and smb are the same command.",
       .examples = "  mayfly access ssh --hostname vm.example.com\n"
                   "  mayfly access tcp --hostname db.example.com --url localhost:5432"});
  bind(parser, flags, invocation);
  if (parse_arguments(parser, invocation) == Parsed::help_shown) return 0;
  if (flags.hostname.empty()) {
    throw Error(ErrorKind::usage, "which application? --hostname is missing",
                fmt::format("run: mayfly access {} --hostname HOST", invocation.name));
  }

  TunnelOptions options = tunnel_options(flags);
  const auto run = flags.listens() ? RunStats::Of::listener : RunStats::Of::one_tunnel;
  const auto ending =
      with_stats(flags.stats, {options.url.authority(), run, std::chrono::system_clock::now()},
                 [&](RunStats& stats) { return carry(flags, options, stats); });
  return ending ? judge(*ending) : 0;
}

}  // namespace mayfly::cli
