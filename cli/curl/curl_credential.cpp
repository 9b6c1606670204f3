#include "cli/curl/curl_credential.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/text.hpp"
#include "access/dial/endpoints.hpp"
#include "access/dial/proxy.hpp"
#include "access/identity/place.hpp"
#include "access/system/platform.hpp"
#include "cli/curl/curl_configuration.hpp"
#include "cli/curl/curl_url.hpp"
#include "cli/curl/memory_file.hpp"

namespace mayfly::cli {
namespace {

using Words = std::vector<std::string>;
using Redirects = CurlArguments::Redirects;

bool has_scheme(const std::string& text) {
  return text.find("://") != std::string::npos;
}

// Returns false for what only curl can read, as a glob of hosts.
bool leads_to(const std::string& text, const Url& url) try {
  return parse_curl_url(text).authority() == url.authority();
} catch (const Error&) {
  return false;
}

bool is_elsewhere(const std::string& text, const Url& url) {
  return (has_scheme(text) && !to_lower(text).starts_with("https://")) || !leads_to(text, url);
}

std::string cookie_file(const Url& url, std::string_view jwt) {
  // The format of Netscape: domain, subdomains, path, https only, expiry (0: this run), name,
  // value.
  return fmt::format("{}\tFALSE\t/\tTRUE\t0\tCF_Authorization\t{}\n", url.host, jwt);
}

// Repeats the user's mapping of a port of the host. It is explicit, since an empty target would be
// no mapping.
Words open_port(const Url& url, std::uint16_t port, const std::vector<std::string>& mappings) {
  const Target target = redirected({url.host, std::to_string(port)}, mappings);
  return {"--connect-to", fmt::format("{}:{}:{}:{}", bracketed(url.host), port,
                                      bracketed(target.host), target.port)};
}

void append(Words& to, const Words& more) {
  to.insert(to.end(), more.begin(), more.end());
}

// curl sends a cookie to every port of its host. So all other ports are mapped to a name that
// cannot exist (RFC 6761 section 6.4), except the port of plain HTTP, where curl sends no cookie
// marked for TLS. curl takes the first mapping that fits.
Words kept_to_port(const Url& url, const std::vector<std::string>& mappings) {
  constexpr std::uint16_t plain_http = 80;
  Words words = open_port(url, url.port, mappings);
  append(words, open_port(url, plain_http, mappings));
  append(words,
         {"--connect-to",
          fmt::format("{}::the-token-is-for-port-{}.invalid:", bracketed(url.host), url.port)});
  return words;
}

// curl sends a header to every host and port, so all others are mapped to an address to which no
// system connects. A name could be looked up: by a hostile resolver, or in the user's --resolve.
Words kept_to_origin(const Url& url, const std::vector<std::string>& mappings) {
  Words words = open_port(url, url.port, mappings);
  append(words, {"--connect-to", "::255.255.255.255:1"});
  return words;
}

const Words only_tls = {"--proto", "=https", "--proto-redir", "=https"};

Words header_file(const Descriptor& file) {
  return {"-H", "@" + path_of(file)};
}

// The URL is not known before curl runs.
bool is_url_of_curl(const CurlArguments::Option& option) {
  return option.name == "url" && (option.is_expanded || option.value.starts_with('@'));
}

// A proxy or socket looks the name that cannot exist up by itself, and a mapping before mayfly's
// goes first.
bool leads_around_mappings(const GuardedCurl::Given& given) {
  const std::string_view name = given.option.name;
  if (name == "connect-to") return given.is_configured;
  return is_among(name, {"abstract-unix-socket", "preproxy", "proxy", "proxy1.0", "socks4",
                         "socks4a", "socks5", "socks5-hostname", "unix-socket"});
}

[[noreturn]] void refuse_secret(std::string_view secret, std::string_view why,
                                std::string_view hint) {
  throw Error(ErrorKind::usage, fmt::format("curl cannot keep {} to its host: {}", secret, why),
              std::string(hint));
}

void refuse_other_hosts(const CurlRun& run, std::string_view secret) {
  const auto elsewhere = [&](const std::string& text) { return is_elsewhere(text, run.url); };
  const auto& given = run.guarded.given;
  if (std::ranges::any_of(run.curl.urls, elsewhere) ||
      std::ranges::any_of(run.guarded.configured_urls, elsewhere) ||
      std::ranges::any_of(given, [](const auto& one) { return is_url_of_curl(one.option); }))
    refuse_secret(secret, "a URL is of another host, over plain HTTP, or known to curl alone",
                  "run curl for each host alone, and name its URL on the command line; -q, "
                  "as the first argument, leaves out .curlrc");
}

void refuse_ways_around(const CurlRun& run, std::string_view secret) {
  if (proxy_choice(run.connection).url.empty() &&
      std::ranges::none_of(run.guarded.given, leads_around_mappings))
    return;
  refuse_secret(secret, "it follows redirects by a proxy, a socket or a configured connect-to",
                "leave one of the two out, or name the address that the application "
                "redirects to");
}

// Returns whether a result of the globs could have the segment ".." behind what all results begin
// with. A segment has two dots, and each is one in the text, or encoded by a "%".
bool may_go_up(const std::string& text) {
  const auto glob = text.find_first_of("{[");
  if (glob == std::string::npos) return false;
  std::string_view changing = before_query_of_globs(text);
  changing.remove_prefix(std::min(text.rfind('/', glob) + 1, changing.size()));
  return std::ranges::count_if(changing, [](char c) { return c == '.' || c == '%'; }) > 1;
}

// Returns whether curl could ask for another path than the application's.
bool leaves_path(const std::string& text, const Application& application) try {
  return may_go_up(text) || !may_hold(application, parse_curl_url(text));
} catch (const Error&) {
  return true;
}

}  // namespace

void refuse_other_paths(const CurlRun& run, const Application& application) {
  if (application.hostname.find('/') == std::string::npos) return;
  const auto leaves = [&](const std::string& text) { return leaves_path(text, application); };
  const auto sends_as_is = [](const GuardedCurl::Given& given) {
    return is_among(given.option.name, {"path-as-is", "request-target"}) ||
           is_url_of_curl(given.option);
  };
  if (std::ranges::none_of(run.curl.urls, leaves) &&
      std::ranges::none_of(run.guarded.configured_urls, leaves) &&
      std::ranges::none_of(run.guarded.given, sends_as_is))
    return;
  throw Error(ErrorKind::usage,
              fmt::format("curl could ask for more of the host than the application, {}",
                          printable(application.hostname)),
              "name URLs of the application alone, without --path-as-is and --request-target");
}

bool may_leave_host(const CurlArguments& curl, const Url& url) {
  if (curl.reach == CurlArguments::Reach::open) return true;
  const auto elsewhere = [&](const std::string& text) { return is_elsewhere(text, url); };
  if (std::ranges::any_of(curl.urls, elsewhere)) return true;
  return !ignores_configuration(curl) && default_curl_configuration().has_value();
}

// curl sends a header to every server, over plain HTTP, too, but a cookie only to its host over
// TLS. The token goes as a header, as cloudflared sends it, if the request cannot leave its host.
CurlCredential token_for_curl(const CurlRun& run, const Secret& jwt) {
  CurlCredential credential;
  if (may_leave_host(run.curl, run.url)) {
    credential.file = anonymous_file(cookie_file(run.url, jwt.reveal()));
    credential.arguments = {"-b", path_of(credential.file)};
    append(credential.arguments, kept_to_port(run.url, run.connection.connect_to));
    if (run.curl.redirects == Redirects::refused) credential.last = no_redirects;
    return credential;
  }
  std::string header = fmt::format("Cf-Access-Token: {}\n", jwt.reveal());
  credential.file = anonymous_file(header);
  wipe(header);
  credential.arguments = header_file(credential.file);
  return credential;
}

namespace {

// secret: "the service token", for messages.
CurlCredential headers_for_curl(const CurlRun& run, const Headers& secret_headers,
                                std::string_view secret) {
  refuse_other_hosts(run, secret);
  const bool follows = run.guarded.follows && run.curl.redirects == Redirects::allowed;
  if (follows) refuse_ways_around(run, secret);
  std::string headers;
  for (const auto& [name, value] : secret_headers) headers += fmt::format("{}: {}\n", name, value);
  CurlCredential credential;
  credential.file = anonymous_file(headers);
  wipe(headers);
  credential.arguments = header_file(credential.file);
  append(credential.arguments, kept_to_origin(run.url, run.connection.connect_to));
  // After the user's options as well: of two equal ones curl takes the later one.
  append(credential.arguments, only_tls);
  credential.last = only_tls;
  if (run.guarded.follows && !follows) append(credential.last, no_redirects);
  return credential;
}

bool is_authorization(const CurlArguments::Option& option) {
  // The content of a file is not known here.
  if (option.name == "header")
    return option.is_expanded || option.value.starts_with('@') ||
           to_lower(trim(option.value)).starts_with("authorization");
  return is_among(option.name, {"anyauth", "aws-sigv4", "basic", "digest", "negotiate", "netrc",
                                "netrc-file", "netrc-optional", "ntlm", "oauth2-bearer", "user"});
}

}  // namespace

CurlCredential service_token_for_curl(const CurlRun& run, const ServiceToken& token) {
  return headers_for_curl(run, service_token_headers(token), "the service token");
}

CurlCredential bearer_for_curl(const CurlRun& run, const OauthToken& token) {
  return headers_for_curl(run, credential_headers({.oauth = token}), "the token");
}

bool has_own_authorization(const GuardedCurl& guarded) {
  return std::ranges::any_of(guarded.given,
                             [](const auto& one) { return is_authorization(one.option); });
}

}  // namespace mayfly::cli
