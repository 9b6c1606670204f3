#include "cli/flags/global_flags.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "cli/flags/arguments.hpp"

namespace mayfly::cli {
namespace {

// From cloudflared 2026.8, with the flags that it keeps for old scripts.
constexpr std::string_view switches =
    "no-autoupdate no-prechecks is-autoupdated post-quantum pq hello-world socks5 bastion "
    "ssh-server ui stdin-control overwrite-dns f management-diagnostics no-tls-verify "
    "no-chunked-encoding http2-origin proxy-no-happy-eyeballs quic-disable-pmtu-discovery "
    "use-reconnect-token proxy-dns";
constexpr std::string_view with_value =
    "loglevel logfile log-directory transport-loglevel proto-loglevel trace-output output "
    "config origincert autoupdate-freq metrics metrics-update-freq pidfile credentials-file "
    "cred-file cacert hostname url id name n label tag lb-pool protocol p region edge "
    "edge-ip-version edge-bind-address api-key api-email api-ca-key api-url "
    "management-hostname service-op-ip heartbeat-interval heartbeat-count "
    "max-edge-addr-retries retries ha-connections rpc-timeout write-stream-timeout "
    "dial-edge-timeout grace-period compression-quality max-fetch-size quick-service "
    "quic-connection-level-flow-control-limit quic-stream-level-flow-control-limit "
    "http-host-header origin-server-name origin-ca-pool unix-socket proxy-connect-timeout "
    "proxy-tls-timeout proxy-tcp-keepalive proxy-keepalive-connections "
    "proxy-keepalive-timeout proxy-connection-timeout proxy-expect-continue-timeout "
    "proxy-address proxy-port local-ssh-port ssh-idle-timeout ssh-max-timeout host-key-path "
    "bucket-name region-name secret-id access-key-id session-token s3-url-host proxy-dns-port "
    "proxy-dns-address proxy-dns-upstream proxy-dns-max-upstream-conns proxy-dns-bootstrap";

bool names(std::string_view list, std::string_view flag) {
  const auto flags = split(list, ' ');
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

// Reads the forms of Go's strconv.ParseBool, which cloudflared takes.
std::optional<bool> boolean(std::string_view text) {
  if (is_among(text, {"1", "t", "T", "true", "TRUE", "True"})) return true;
  if (is_among(text, {"0", "f", "F", "false", "FALSE", "False"})) return false;
  return std::nullopt;
}

struct Flag {
  std::string_view name;  // without its dashes
  std::optional<std::string_view> value;
};

// One dash or two mean the same.
Flag read_flag(std::string_view word) {
  word.remove_prefix(word.starts_with("--") ? 2 : 1);
  const auto equals = word.find('=');
  if (equals == std::string_view::npos) return {word, std::nullopt};
  return {word.substr(0, equals), word.substr(equals + 1)};
}

// The last --fedramp counts.
void take_fedramp(const Flag& flag, GlobalFlags& flags) {
  const auto is_on = boolean(flag.value.value_or("true"));
  if (!is_on) {
    throw Error(ErrorKind::usage,
                fmt::format("--fedramp is true or false, not \"{}\"", printable(*flag.value)));
  }
  std::erase(flags, "--fedramp");
  if (*is_on) flags.emplace_back("--fedramp");
}

}  // namespace

std::size_t take_global_flag(const std::vector<std::string>& words, std::size_t at,
                             GlobalFlags& flags) {
  const Flag flag = read_flag(words[at]);
  if (flag.name == "fedramp") {
    take_fedramp(flag, flags);
  } else if (names(with_value, flag.name)) {
    if (!flag.value && ++at == words.size())
      throw Error(ErrorKind::usage, fmt::format("the flag {} needs a value", words[at - 1]));
    flags.push_back(fmt::format("--{}={}", flag.name, flag.value.value_or(words[at])));
  } else if (!names(switches, flag.name)) {
    throw Error(ErrorKind::usage,
                fmt::format("there is no flag {} before a command", printable(words[at])),
                "give a command's own flags behind it; run: mayfly --help");
  }
  return at + 1;
}

}  // namespace mayfly::cli
