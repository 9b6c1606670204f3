// `mayfly access ssh` (= tcp, rdp, smb): a tunnel on standard input and output, or a listener.
#include "access/tunnel/tunnel.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "access/core/error.hpp"
#include "access/core/secret.hpp"
#include "access/core/text.hpp"
#include "access/system/files.hpp"
#include "access/system/platform.hpp"
#include "access/system/private_directory.hpp"
#include "cli/flags/command.hpp"
#include "cli/flags/host_argument.hpp"
#include "cli/flags/network_flags.hpp"
#include "cli/session/calling_ssh.hpp"
#include "cli/session/session.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/message.hpp"
#include "cli/tunnel/confine.hpp"
#include "cli/tunnel/credential_source.hpp"
#include "cli/tunnel/listening.hpp"
#include "cli/tunnel/reports.hpp"
#include "cli/tunnel/run_stats.hpp"
#include "cli/tunnel/supervision.hpp"

namespace mayfly::cli {
namespace {

struct TunnelFlags {
  std::string hostname, matching, destination;
  std::vector<std::string> listeners, headers, arguments;
  std::string connect_to, control_directory;
  std::optional<std::uint64_t> debug_stream;
  TunnelTimes times;
  StatsFlags stats;
  SupervisionFlags supervision;
  NetworkFlags network;
  bool inherits = false;  // the sockets of a service manager
  bool listens() const { return inherits || !listeners.empty(); }
};

void bind(Parser& parser, TunnelFlags& flags) {
  bind_hostname(parser, flags.hostname, "the application");
  bind_matching(parser, flags.matching);
  bind_destination(parser, flags.destination);
  bind_listeners(parser, flags.listeners,
                 "listen on HOST:PORT or unix:PATH instead of stdin and stdout; repeatable");
  bind_headers(parser, flags.headers, "a header to send, \"Name: value\"; repeatable");
  bind_tunnel_times(parser, flags.times);
  parser
      .add_option("--control-directory", flags.control_directory,
                  "make this directory for ssh's control sockets")
      .type_name("DIR");
  bind_stats_flags(parser, flags.stats);
  bind_supervision(parser, flags.supervision);
  parser.add_option("--connect-to", flags.connect_to, "HOST, HOST:PORT or SNI:PORT:HOST").group("");
  parser.add_option("--debug-stream", flags.debug_stream, "log up to this many payloads").group("");
  bind_host_and_listeners(parser, flags.arguments);
  bind_network_flags(parser, flags.network);
}

// Returns cloudflared's HOST, HOST:PORT or SNI:PORT:HOST in curl's form. Unlike in cloudflared, the
// certificate is still verified against the application's name, also with the three-part form.
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
  options.url = application_url(flags.hostname, flags.matching);
  options.headers =
      checked_headers(options.url, flags.headers, flags.network.identity, flags.destination);
  options.ping_interval = std::chrono::seconds(flags.times.ping_interval);
  options.linger = std::chrono::seconds(flags.times.linger);
  if (flags.debug_stream) {
    const std::uint64_t most = *flags.debug_stream > 0 ? *flags.debug_stream : default_payloads;
    options.observer = payload_log(options.url.host, most);
  }
  return options;
}

// Returns the exit code. Throws if the tunnel did not end by a close or an interrupt.
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

// Holds the objects that one run uses besides its flags.
struct Run {
  RunStats& stats;
  const Supervision& supervision;
};

void listen(const TunnelFlags& flags, const TunnelOptions& tunnel, const Authorization& source,
            const Run& run) {
  ListenerOptions options;
  options.tunnel = tunnel;
  options.addresses = run.supervision.inherited();
  listen_at(flags.listeners, "Start Websocket listener", options);
  options.ended = log_bad_ending;
  run.stats.watch(options);
  run.supervision.watch_tunnels(options);
  confine_when_ready(options, flags.network, run.supervision.removed());
  run.supervision.watch(options, "tcp", tunnel.url.authority());
  run_listener(options, source);
  notify_service_manager("STOPPING=1");
}

// Returns what shows a slow dial as session.cpp shows a slow request; nothing without a terminal.
std::function<void(std::chrono::seconds)> progress_of_dialing(const Url& url) {
  if (::isatty(STDERR_FILENO) != 1) return {};
  const auto line = std::make_shared<std::optional<ProgressLine>>();
  return [host = url.host, line](std::chrono::seconds waited) {
    if (waited == std::chrono::seconds(0)) return line->reset();
    if (!*line) line->emplace();
    (*line)->show_waiting(host, waited);
  };
}

// With ControlPersist, ssh takes the standard error of its ProxyCommand away (sshconnect.c): its
// master goes on in the background, and must not hold what its caller waits for. Until the tunnel
// is open, its messages are for the caller all the same.
class BorrowedStandardError {
 public:
  explicit BorrowedStandardError(const TunnelFlags& flags) {
    if (flags.control_directory.empty() || !is_null_device(STDERR_FILENO)) return;
    const auto ssh = nearest_ssh();
    Descriptor borrowed = ssh ? standard_error_of(ssh->pid) : Descriptor();
    if (!borrowed) borrowed = Descriptor(::open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC));
    is_borrowed_ = borrowed && ::dup2(borrowed.get(), STDERR_FILENO) >= 0;
  }
  void give_back() const noexcept {
    if (!is_borrowed_) return;
    const Descriptor null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    ::dup2(null.get(), STDERR_FILENO);
  }

 private:
  static bool is_null_device(int descriptor) noexcept {
    struct stat null {
    }, own{};
    return ::stat("/dev/null", &null) == 0 && ::fstat(descriptor, &own) == 0 &&
           S_ISCHR(own.st_mode) && own.st_rdev == null.st_rdev;
  }

  bool is_borrowed_ = false;
};

// The directory of the control sockets may lie in the state directory, which is then made first.
void make_control_directory(const std::string& path) {
  if (path.empty()) return;
  if (!path.starts_with('/'))
    throw Error(ErrorKind::usage, "--control-directory needs an absolute path");
  if (path.starts_with(state_directory_path() + "/")) StateDirectory::open(state_directory_path());
  make_private_directory(path);
}

// Returns how the tunnel on standard input and output ended, or nullopt for a listener.
std::optional<Ending> carry(TunnelFlags& flags, TunnelOptions options, const Run& run) {
  const BorrowedStandardError standard_error(flags);
  make_control_directory(flags.control_directory);
  if (!flags.connect_to.empty())
    flags.network.trust.connect_to.push_back(curl_connect_to(flags.connect_to, options.url));
  std::optional<Session> session(
      std::in_place,
      SessionOptions{
          .application = options.url,
          .storage = Storage::for_persons,
          .log = flags.listens() ? run.supervision.log() : LogSettings::Terminal::silent,
          .oauth = oauth_beside(options.headers),
          .started_by = flags.listens() ? SessionOptions::StartedBy::a_person
                                        : SessionOptions::StartedBy::ssh,
          .watch_logins = [&](LoginPrompt& prompt) { run.supervision.watch_logins(prompt); }},
      flags.network);
  wipe(flags.network.identity.service_token_secret);  // the session has a copy
  options.connection = session->connection();
  report_traffic_on_signal(options);
  Authorization source = credential_source(*session, options.url);
  if (flags.listens()) {
    run.supervision.open_once(*session, options.url);
    listen(flags, options, source, run);
    return std::nullopt;
  }
  const auto opened = [&] {
    standard_error.give_back();
    source = {};  // an open tunnel needs no credential
    session.reset();
    confine_running_tunnel();
  };
  const Ending ending = run_stdio_tunnel(options, source, opened, progress_of_dialing(options.url));
  run.stats.add(ending);
  log_ending(ending);
  return ending;
}

int run(TunnelFlags& flags, const Invocation& invocation) {
  take_host_and_listeners(flags.hostname, flags.arguments, flags.listeners);
  require_hostname(flags.hostname, invocation);
  TunnelOptions options = tunnel_options(flags);
  Supervision supervision(flags.supervision, flags.listeners);
  flags.inherits = !supervision.inherited().empty();
  if (!flags.listens()) supervision.refuse_without_listener();
  const auto of = flags.listens() ? RunStats::Of::listener : RunStats::Of::one_tunnel;
  const auto serve = [&] {
    const auto ending =
        with_stats(flags.stats, {options.url.authority(), of, std::chrono::system_clock::now()},
                   [&](RunStats& stats) {
                     return carry(flags, options, {stats, supervision});
                   });
    return ending ? judge(*ending) : 0;
  };
  return flags.listens() ? supervision.run(serve) : serve();
}

}  // namespace

Command tunnel_command() {
  return {
      .name = "ssh",
      .summary = "tunnel on stdin and stdout, or a listener (also: tcp, rdp, smb)",
      .usage = {.synopsis = "ssh [flags] HOST [ADDRESS...] [-- PROGRAM [ARGS...]]",
                .description =
                    "Tunnel to an application: on stdin and stdout (as ssh's ProxyCommand), or for "
                    "every connection to a local listener. tcp, rdp and smb are the same command.",
                .examples = "  mayfly access ssh --hostname vm.example.com\n"
                            "  mayfly access tcp --hostname db.example.com --url localhost:5432"},
      .bind = bind_and_run<TunnelFlags, bind, run>,
      .aliases = {"tcp", "rdp", "smb"}};
}

}  // namespace mayfly::cli
