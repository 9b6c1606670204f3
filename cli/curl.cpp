// `mayfly access curl`: becomes curl, with the application's token by descriptor.
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/text.hpp"
#include "access/dial/endpoints.hpp"
#include "access/system/platform.hpp"
#include "access/system/spawn_settings.hpp"
#include "cli/curl/curl_arguments.hpp"
#include "cli/curl/curl_certificate.hpp"
#include "cli/curl/curl_configuration.hpp"
#include "cli/curl/curl_guard.hpp"
#include "cli/curl/curl_trust.hpp"
#include "cli/curl/curl_url.hpp"
#include "cli/curl/memory_file.hpp"
#include "cli/curl/watched_curl.hpp"
#include "cli/environment.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/session.hpp"
#include "cli/terminal/message.hpp"

namespace mayfly::cli {
namespace {

using Words = std::vector<std::string>;

// For the help and the completions; the arguments themselves are curl's to read.
void show_help(NetworkFlags& flags, const Invocation& invocation) {
  Parser parser(
      {.synopsis = "curl [--allow-request] [shared flags] CURL-ARGUMENTS...",
       .description =
           "Run curl in place with the token of the application that its URL names. Its own --cert "
           "--key --cacert --proxy --connect-to --resolve and -k also serve mayfly's requests.",
       .examples = "  mayfly curl -s https://api.example.com/status\n"
                   "  mayfly curl -X POST -d @order.json https://api.example.com/orders"});
  parser.prefix_command();
  bool allow_request = false;
  parser.add_flag("--allow-request", allow_request,
                  "without a token, send the request as it is (or: -ar)");
  bool allow_redirects = false;
  parser.add_flag("--allow-redirects", allow_redirects,
                  "let --location follow redirects with the token");
  bind_network_flags(parser, flags, invocation);
  parser.keep_flags([](const std::string& name) { return is_ours("--" + name); });
  parse_arguments(parser, invocation);
}

bool asks_for_help(const Invocation& invocation) {
  const auto& words = invocation.arguments;
  return invocation.show_parser ||
         (words.size() == 1 && (words[0] == "--help" || words[0] == "--help-all"));
}

// As with the flags of the other commands: what the command line says comes first.
void complete_from_environment(NetworkFlags& flags) {
  if (flags.service_token_id.empty()) flags.service_token_id = variable("TUNNEL_SERVICE_TOKEN_ID");
  if (flags.service_token_secret.empty())
    flags.service_token_secret = variable("TUNNEL_SERVICE_TOKEN_SECRET");
  forget_variable("TUNNEL_SERVICE_TOKEN_SECRET");
}

bool has_scheme(const std::string& text) {
  return text.find("://") != std::string::npos;
}

// What only curl can read (globs among hosts) is as good as elsewhere.
bool leads_to(const std::string& text, const Url& url) try {
  return parse_curl_url(text).authority() == url.authority();
} catch (const Error&) {
  return false;
}

// A token in a header goes wherever curl goes, over plain HTTP too; curl keeps a cookie to its
// host and to TLS. A header is what cloudflared sends, so it is used where nothing can leave both.
bool may_leave_host(const CurlArguments& curl, const Url& url) {
  if (curl.reach == CurlArguments::Reach::open) return true;
  const auto elsewhere = [&](const std::string& text) {
    return (has_scheme(text) && !to_lower(text).starts_with("https://")) || !leads_to(text, url);
  };
  if (std::any_of(curl.urls.begin(), curl.urls.end(), elsewhere)) return true;
  return !ignores_configuration(curl) && default_curl_configuration().has_value();
}

// Options of ours, put among the user's; of two that say the same the later one counts.
struct Added {
  Words front;  // of each part between its --next
  Words back;   // after the user's
};

Words with_added(const CurlArguments& curl, const GuardedCurl& guarded, const Added& added) {
  std::map<std::size_t, Words> at;
  const auto add = [&at](std::size_t place, const Words& words) {
    at[place].insert(at[place].end(), words.begin(), words.end());
  };
  for (const CurlArguments::Part& part : curl.parts) add(part.front, added.front);
  for (const CurlArguments::Part& part : curl.parts) add(part.back, added.back);
  // curl heeds it as the first word only, and reads no configuration by itself then.
  Words all = {"-q"};
  all.insert(all.end(), guarded.default_configuration.begin(), guarded.default_configuration.end());
  for (const auto& [place, words] : guarded.inserted) add(place, words);
  for (std::size_t i = 0; i <= guarded.words.size(); ++i) {
    all.insert(all.end(), at[i].begin(), at[i].end());
    if (i < guarded.words.size()) all.push_back(guarded.words[i]);
  }
  return all;
}

std::string cookie_file(const Url& url, std::string_view jwt) {
  // Netscape format: domain, subdomains, path, https only, expiry (0: this run), name, value.
  return fmt::format("{}\tFALSE\t/\tTRUE\t0\tCF_Authorization\t{}\n", url.host, jwt);
}

struct Credential {
  Descriptor file;
  Words arguments;
  Words last = {};  // after the user's
};

// curl keeps a cookie to its host, and sends it to every port of it. So all other ports lead to a
// name that nobody can have (RFC 6761 section 6.4), but for that of plain HTTP, where curl sends no
// cookie marked for TLS. curl takes the first mapping that fits: those of the ports that stay open
// repeat the user's, and are explicit, since an empty target would be none.
Words kept_to_port(const Url& url, const std::vector<std::string>& mappings) {
  constexpr std::uint16_t plain_http = 80;
  const std::string host = bracketed(url.host);
  Words words;
  for (const std::uint16_t port : {url.port, plain_http}) {
    const Target target = redirected({url.host, std::to_string(port)}, mappings);
    words.insert(words.end(), {"--connect-to", fmt::format("{}:{}:{}:{}", host, port,
                                                           bracketed(target.host), target.port)});
  }
  words.insert(words.end(), {"--connect-to",
                             fmt::format("{}::the-token-is-for-port-{}.invalid:", host, url.port)});
  return words;
}

Credential credential_for(const CurlArguments& curl, const Url& url, Session& session,
                          const Grant& grant) {
  Credential credential;
  if (may_leave_host(curl, url)) {
    if (grant.application && !grant.token && session.service_token()) {
      throw Error(
          ErrorKind::usage,
          "a service token that earns no session token cannot be kept to its host by curl",
          "leave out --location, --config, URLs of other hosts and unknown options; -q, as the "
          "first one, leaves out .curlrc");
    }
    if (!grant.token) return credential;
    credential.file = anonymous_file(cookie_file(url, grant.token->jwt.reveal()));
    credential.arguments = {"-b", path_of(credential.file)};
    for (std::string& word : kept_to_port(url, session.connection().connect_to))
      credential.arguments.push_back(std::move(word));
    if (curl.redirects == CurlArguments::Redirects::refused) credential.last = no_redirects;
    return credential;
  }
  std::string headers;
  if (grant.token) headers = fmt::format("Cf-Access-Token: {}\n", grant.token->jwt.reveal());
  if (grant.application && session.service_token()) {
    for (const auto& [name, value] : service_token_headers(*session.service_token())) {
      headers += fmt::format("{}: {}\n", name, value);
    }
  }
  if (headers.empty()) return credential;
  credential.file = anonymous_file(headers);
  wipe(headers);
  credential.arguments = {"-H", "@" + path_of(credential.file)};
  return credential;
}

// curl shows its certificate to every server that asks for one, wherever it is led.
[[noreturn]] void refuse_to_show_certificate() {
  throw Error(ErrorKind::usage, "curl would show the client certificate to other servers as well",
              "leave out --location, --config, URLs of other hosts and unknown options; -q, as the "
              "first one, leaves out .curlrc");
}

constexpr int too_many_redirects = 47;  // curl(1), EXIT CODES

Error redirect_refused() {
  return {ErrorKind::failed, "curl follows no redirect with the token",
          "name the address that the application redirects to; or, if you trust the application, "
          "add --allow-redirects: it could lead curl to Access, which hands out tokens"};
}

Grant grant_for(const CurlArguments& curl, const Url& url, Session& session) {
  const Credentials& credentials = session.credentials();
  if (curl.token == CurlArguments::Token::optional) {
    if (auto stored = credentials.stored(url)) return std::move(*stored);
    print_notice("No token is stored for this application; the request is sent without one.\n");
    return {};
  }
  Grant grant = credentials.obtain(url);
  if (!grant.token || credentials.accepted_at_edge(url, *grant.token)) return grant;
  return credentials.renew(url, grant);
}

// For the way to the server, so that curl goes it as our own requests did.
Words connect_to_arguments() {
  Words arguments;
  for (const std::string& entry : connect_to_from_environment())
    arguments.insert(arguments.end(), {"--connect-to", entry});
  return arguments;
}

// curl shows no progress at a terminal that its output goes to; the pipe of ours hides the
// terminal.
bool hides_terminal(const GuardedCurl& guarded) {
  const auto& outputs = guarded.outputs;
  const bool is_cleaned = std::any_of(outputs.begin(), outputs.end(), [](const CleanedOutput& one) {
    return one.stream == STDOUT_FILENO;
  });
  return is_cleaned && !guarded.has_output_file && ::isatty(STDOUT_FILENO) == 1;
}

std::vector<Secret> secrets_of(const Session& session, const Grant& grant) {
  std::vector<Secret> secrets;
  if (grant.token) secrets.push_back(grant.token->jwt);
  if (session.service_token()) secrets.push_back(session.service_token()->secret);
  return secrets;
}

[[noreturn]] void become_curl(Words arguments) {
  arguments.insert(arguments.begin(), "curl");
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  for (const int number : ignored_signals) ::signal(number, SIG_DFL);
  // It goes to the same proxies as mayfly.
  const ChildEnvironment environment({}, ChildEnvironment::ProxyPasswords::kept);
  environ = const_cast<char**>(environment.get());
  ::execvp("curl", words.data());
  const Error reason = system_error("cannot run curl", errno);
  throw Error(reason.kind(), reason.message(), "install curl");
}

}  // namespace

int run_curl(const Invocation& invocation) {
  if (asks_for_help(invocation)) {
    NetworkFlags flags;
    show_help(flags, invocation);
    return 0;
  }
  if (invocation.arguments.empty())
    throw Error(ErrorKind::usage, "curl needs a URL", "run: mayfly access curl --help");
  CurlArguments curl = parse_curl_arguments(invocation.arguments);
  if (curl.urls.empty()) {
    throw Error(ErrorKind::usage, "there is no URL among curl's arguments",
                "run: mayfly access curl [curl's options] https://HOST/PATH");
  }
  if (invocation.cloud == Invocation::Cloud::fedramp) curl.network.fedramp = true;
  curl.network.host_only_redirect = true;
  complete_from_environment(curl.network);
  GuardedCurl guarded = guard_curl(curl);
  const Url url = application_of_curl_url(parse_curl_url(curl.urls.front()));
  const bool leaves_host = may_leave_host(curl, url);
  if (leaves_host && !curl.network.certificate.empty()) refuse_to_show_certificate();
  Added added{.front = certificate_arguments(curl), .back = connect_to_arguments()};
  Session session(url, curl.network, Storage::for_persons);
  // What is wrong with it is found now, and its password is asked for once and not by curl again.
  if (!curl.network.certificate.empty()) session.connection();
  const Grant grant = grant_for(curl, url, session);
  // A certificate of the environment has earned the token, which is enough without it.
  const bool hides_certificate = leaves_host && !curl.network.certificate.empty();
  if (hides_certificate && !grant.token) refuse_to_show_certificate();
  if (hides_certificate) added.front.clear();
  const CurlPassword password = hides_certificate
                                    ? CurlPassword()
                                    : password_for_curl(session.asked_password(), curl.network);
  const Credential credential = credential_for(curl, url, session, grant);
  for (const Words* one : {&password.arguments, &credential.arguments})
    added.front.insert(added.front.end(), one->begin(), one->end());
  added.back.insert(added.back.end(), credential.last.begin(), credential.last.end());
  // Without it curl takes "HOST/PATH" for plain HTTP.
  if (!std::all_of(curl.urls.begin(), curl.urls.end(), has_scheme))
    added.front.insert(added.front.end(), {"--proto-default", "https"});
  if (!curl.network.insecure) trust_environment_alone(curl, guarded);
  if (hides_terminal(guarded)) added.front.emplace_back("--no-progress-meter");
  const auto start = [&] {
    // Now only: a browser may have been started meanwhile.
    for (const Descriptor* file : {&password.file, &credential.file}) hand_over(*file);
    for (const Descriptor& file : guarded.files) hand_over(file);
    become_curl(with_added(curl, guarded, added));
  };
  const bool stops_at_redirect = guarded.follows && !credential.last.empty();
  if (stops_at_redirect) guarded.outputs.push_back(sign_of_life());
  if (guarded.outputs.empty()) start();
  const int code = run_watched_curl(std::move(guarded.outputs), secrets_of(session, grant), start);
  if (stops_at_redirect && code == too_many_redirects) print_error(redirect_refused());
  return code;
}

}  // namespace mayfly::cli
