#include "cli/curl/curl_arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>

#include "access/core/error.hpp"
#include "access/transport/tls/token_uri.hpp"

namespace mayfly::cli {
namespace {

// Options that take a value, from curl(1), versions 7.88 to 8.14: what follows them is no URL.
// Sorted.
constexpr std::string_view long_with_value[] = {
    "abstract-unix-socket",
    "alt-svc",
    "aws-sigv4",
    "cacert",
    "capath",
    "cert",
    "cert-type",
    "ciphers",
    "config",
    "connect-timeout",
    "connect-to",
    "continue-at",
    "cookie",
    "cookie-jar",
    "create-file-mode",
    "crlfile",
    "curves",
    "data",
    "data-ascii",
    "data-binary",
    "data-raw",
    "data-urlencode",
    "delegation",
    "dns-interface",
    "dns-ipv4-addr",
    "dns-ipv6-addr",
    "dns-servers",
    "doh-url",
    "dump-header",
    "ech",
    "egd-file",
    "engine",
    "etag-compare",
    "etag-save",
    "expand-data",
    "expand-header",
    "expand-output",
    "expand-url",
    "expect100-timeout",
    "form",
    "form-string",
    "ftp-account",
    "ftp-alternative-to-user",
    "ftp-method",
    "ftp-port",
    "ftp-ssl-ccc-mode",
    "happy-eyeballs-timeout-ms",
    "haproxy-clientip",
    "header",
    "help",
    "hostpubmd5",
    "hostpubsha256",
    "hsts",
    "interface",
    "ip-tos",
    "ipfs-gateway",
    "json",
    "keepalive-cnt",
    "keepalive-time",
    "key",
    "key-type",
    "krb",
    "libcurl",
    "limit-rate",
    "local-port",
    "login-options",
    "mail-auth",
    "mail-from",
    "mail-rcpt",
    "max-filesize",
    "max-redirs",
    "max-time",
    "netrc-file",
    "noproxy",
    "oauth2-bearer",
    "output",
    "output-dir",
    "parallel-max",
    "pass",
    "pinnedpubkey",
    "preproxy",
    "proto",
    "proto-default",
    "proto-redir",
    "proxy",
    "proxy-cacert",
    "proxy-capath",
    "proxy-cert",
    "proxy-cert-type",
    "proxy-ciphers",
    "proxy-crlfile",
    "proxy-header",
    "proxy-key",
    "proxy-key-type",
    "proxy-pass",
    "proxy-pinnedpubkey",
    "proxy-service-name",
    "proxy-tls13-ciphers",
    "proxy-tlsauthtype",
    "proxy-tlspassword",
    "proxy-tlsuser",
    "proxy-user",
    "proxy1.0",
    "pubkey",
    "quote",
    "random-file",
    "range",
    "rate",
    "referer",
    "request",
    "request-target",
    "resolve",
    "retry",
    "retry-delay",
    "retry-max-time",
    "sasl-authzid",
    "service-name",
    "sigalgs",
    "socks4",
    "socks4a",
    "socks5",
    "socks5-gssapi-service",
    "socks5-hostname",
    "speed-limit",
    "speed-time",
    "ssl-sessions",
    "stderr",
    "telnet-option",
    "tftp-blksize",
    "time-cond",
    "tls-max",
    "tls13-ciphers",
    "tlsauthtype",
    "tlspassword",
    "tlsuser",
    "trace",
    "trace-ascii",
    "trace-config",
    "unix-socket",
    "upload-file",
    "upload-flags",
    "url",
    "url-query",
    "user",
    "user-agent",
    "variable",
    "vlan-priority",
    "write-out",
};
constexpr std::string_view short_with_value = "EKCbcdDFPHhmoUQreXYytzTuAwx";

bool takes_value(std::string_view long_name) {
  return std::binary_search(std::begin(long_with_value), std::end(long_with_value), long_name);
}

// curl's "FILE:PASSWORD"; a colon behind a backslash or in a pkcs11: URI is part of the name.
void learn_certificate(NetworkFlags& network, const std::string& value) {
  network.certificate.clear();
  if (is_token_uri(value)) {
    network.certificate = value;
    return;
  }
  std::size_t i = 0;
  for (; i < value.size() && value[i] != ':'; ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    network.certificate += value[i];
  }
  if (i + 1 < value.size()) network.certificate_password = value.substr(i + 1);
}

// Our own flags, which curl does not know.
const std::map<std::string_view, bool NetworkFlags::*> flags = {
    {"--batch", &NetworkFlags::batch},
    {"--no-browser", &NetworkFlags::no_browser},
    {"--auto-close", &NetworkFlags::auto_close},
    {"--fedramp", &NetworkFlags::fedramp},
};
const std::map<std::string_view, std::string NetworkFlags::*> values = {
    {"--service-token-id", &NetworkFlags::service_token_id},
    {"--id", &NetworkFlags::service_token_id},
    {"--service-token-secret", &NetworkFlags::service_token_secret},
    {"--secret", &NetworkFlags::service_token_secret},
    {"--service-token-secret-file", &NetworkFlags::service_token_secret_file},
    {"--cert-password-file", &NetworkFlags::certificate_password_file},
};

bool allows_request(std::string_view word) {
  return word == "--allow-request" || word == "-ar";
}

// One walk over the arguments; a table says what each option means to us.
class Reader {
 public:
  explicit Reader(const std::vector<std::string>& arguments) : all_(arguments) {}

  CurlArguments read() {
    for (next_ = 0; next_ < all_.size();) read_one(all_[next_++]);
    return std::move(result_);
  }

 private:
  void read_one(const std::string& word) {
    if (only_urls_ || word.size() < 2 || word[0] != '-') {
      result_.urls.push_back(word);
      keep(word);
    } else if (word == "--") {
      only_urls_ = true;
      keep(word);
    } else if (allows_request(word)) {
      result_.token = CurlArguments::Token::optional;
    } else if (word.starts_with("--")) {
      read_long(word);
    } else {
      read_short(word);
    }
  }

  void read_long(const std::string& word) {
    std::string_view name = std::string_view(word).substr(2);
    if (read_ours(word)) return;
    keep(word);
    // curl takes a part of a name for the whole when no other begins so.
    constexpr std::string_view config = "config";
    if (name.size() > 3 && config.starts_with(name)) name = config;
    if (name.size() > 2 && std::string_view("location-trusted").starts_with(name))
      result_.reach = CurlArguments::Reach::open;
    if (name == "insecure") result_.network.insecure = true;
    if (name.starts_with("cookie-")) result_.keeps_cookies = true;
    if (takes_value(name)) learn(name, take_value());
  }

  // "-sSLo file": letters up to the first that takes a value, which is the rest or the next word.
  void read_short(const std::string& word) {
    keep(word);
    for (std::size_t i = 1; i < word.size(); ++i) {
      if (word[i] == 'L') result_.reach = CurlArguments::Reach::open;
      if (word[i] == 'k') result_.network.insecure = true;
      if (short_with_value.find(word[i]) == std::string_view::npos) continue;
      const std::string value = i + 1 < word.size() ? word.substr(i + 1) : take_value();
      if (word[i] == 'E') learn("cert", value);
      if (word[i] == 'x') learn("proxy", value);
      if (word[i] == 'K') learn("config", value);
      if (word[i] == 'c') result_.keeps_cookies = true;
      return;
    }
  }

  void learn(std::string_view name, const std::string& value) {
    if (name == "url") result_.urls.push_back(value);
    if (name == "config") {
      result_.reach = CurlArguments::Reach::open;
      result_.configured.push_back(result_.arguments.size());
    }
    if (name == "cert") learn_certificate(result_.network, value);
    if (name == "cert-type") result_.names_certificate_type = true;
    if (name == "key") result_.network.key = value;
    if (name == "pass") result_.network.certificate_password = value;
    if ((name == "cert" || name == "key") && is_token_uri(value)) replace_value(value);
    if (name == "cacert") result_.network.ca_file = value;
    if (name == "proxy") result_.network.proxy = value;
    if (name == "connect-to") result_.network.connect_to.push_back(value);
    if (name == "resolve") result_.network.resolve.push_back(value);
  }

  bool read_ours(const std::string& word) {
    if (const auto flag = flags.find(word); flag != flags.end()) {
      result_.network.*flag->second = true;
      return true;
    }
    const auto equals = word.find('=');
    const auto value = values.find(std::string_view(word).substr(0, equals));
    if (value == values.end()) return false;
    if (equals == std::string::npos && next_ >= all_.size()) {
      throw Error(ErrorKind::usage, fmt::format("{} needs a value", word),
                  "run: mayfly access curl --help");
    }
    result_.network.*value->second =
        equals == std::string::npos ? all_[next_++] : word.substr(equals + 1);
    return true;
  }

  std::string take_value() {
    if (next_ >= all_.size()) return {};
    keep(all_[next_]);
    return all_[next_++];
  }

  // In the word that was kept last, which is the value or ends with it.
  void replace_value(const std::string& uri) {
    std::string& word = result_.arguments.back();
    word.replace(word.size() - uri.size(), uri.size(), without_module(uri));
  }

  void keep(const std::string& word) { result_.arguments.push_back(word); }

  const std::vector<std::string>& all_;
  std::size_t next_ = 0;
  bool only_urls_ = false;
  CurlArguments result_;
};

}  // namespace

CurlArguments parse_curl_arguments(const std::vector<std::string>& arguments) {
  return Reader(arguments).read();
}

bool is_ours(std::string_view flag) {
  return allows_request(flag) || flags.contains(flag) || values.contains(flag);
}

}  // namespace mayfly::cli
