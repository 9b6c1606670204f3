// `mayfly access curl`: becomes curl, which reads the application's token from a descriptor.
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <utility>

#include "access/answer/machine.hpp"
#include "access/answer/refusal.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/curl/proxy_choice.hpp"
#include "access/system/child_environment.hpp"
#include "access/system/spawn_settings.hpp"
#include "cli/curl/answer_watch.hpp"
#include "cli/curl/curl_arguments.hpp"
#include "cli/curl/curl_certificate.hpp"
#include "cli/curl/curl_credential.hpp"
#include "cli/curl/curl_guard.hpp"
#include "cli/curl/curl_trust.hpp"
#include "cli/curl/curl_url.hpp"
#include "cli/curl/memory_file.hpp"
#include "cli/curl/redirect_steps.hpp"
#include "cli/curl/watched_curl.hpp"
#include "cli/flags/command.hpp"
#include "cli/session/session.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/message.hpp"

namespace mayfly::cli {
namespace {

using Words = std::vector<std::string>;

struct CurlFlags {
  bool allow_request = false, allow_redirects = false;
  NetworkFlags network;
};

// For help and completion: parse_curl_arguments() reads the arguments of a run.
void bind(Parser& parser, CurlFlags& flags) {
  parser.leave_arguments_to_program();
  parser.add_flag("--allow-request", flags.allow_request,
                  "without a token, send the request as it is (or: -ar)");
  parser.add_flag("--allow-redirects", flags.allow_redirects,
                  "let --location follow redirects with the token");
  bind_network_flags(parser, flags.network);
  parser.keep_flags([](const std::string& name) { return is_ours("--" + name); });
}

// Flags come before variables, as in other commands.
void complete_from_environment(IdentityFlags& flags) {
  if (flags.service_token_id.empty()) flags.service_token_id = variable("TUNNEL_SERVICE_TOKEN_ID");
  if (flags.service_token_secret.empty())
    flags.service_token_secret = variable("TUNNEL_SERVICE_TOKEN_SECRET");
  forget_variable("TUNNEL_SERVICE_TOKEN_SECRET");
}

bool has_scheme(const std::string& text) {
  return text.find("://") != std::string::npos;
}

void append(Words& to, const Words& more) {
  to.insert(to.end(), more.begin(), more.end());
}

// Options that are put before and after the user's in each part between two --next. Of two equal
// options curl takes the later one.
struct Added {
  Words front, back;
};

Words with_added(const CurlArguments& curl, const GuardedCurl& guarded, const Added& added) {
  std::map<std::size_t, Words> at;
  const auto add = [&at](std::size_t place, const Words& words) {
    at[place].insert(at[place].end(), words.begin(), words.end());
  };
  for (const CurlArguments::Part& part : curl.parts) add(part.front, added.front);
  for (const CurlArguments::Part& part : curl.parts) add(part.back, added.back);
  // As the first word it keeps curl from reading a configuration by itself.
  Words all = {"-q"};
  all.insert(all.end(), guarded.default_configuration.begin(), guarded.default_configuration.end());
  for (const auto& [place, words] : guarded.inserted) add(place, words);
  for (std::size_t i = 0; i <= guarded.words.size(); ++i) {
    all.insert(all.end(), at[i].begin(), at[i].end());
    if (i < guarded.words.size()) all.push_back(guarded.words[i]);
  }
  return all;
}

// curl shows its certificate to every server that asks for one.
[[noreturn]] void refuse_to_show_certificate() {
  throw Error(ErrorKind::usage, "curl would show the client certificate to other servers as well",
              "leave out --location, --config, URLs of other hosts and unknown options; -q, as the "
              "first one, leaves out .curlrc");
}

constexpr int too_many_redirects = 47;  // curl(1), EXIT CODES

Error redirect_refused(const std::optional<Url>& next) {
  return {ErrorKind::failed,
          next ? "curl follows no redirect with the token to " + printable(next->text())
               : "curl follows no redirect with the token",
          "name the address that the application redirects to; or, if you trust the application, "
          "add --allow-redirects: it could lead curl to Access, which hands out tokens"};
}

Error redirects_do_not_end() {
  return {ErrorKind::failed,
          fmt::format("the application redirects more than {} times", most_redirects),
          "look at the redirects with: mayfly curl -i, without -L"};
}

Error other_host_refused(const Url& url) {
  return {ErrorKind::refused,
          fmt::format("the service token of {} goes to no other host, port or scheme, and the "
                      "application redirects to one",
                      url.authority()),
          "name the address that the application redirects to, with the credential that it wants"};
}

Grant grant_for(const CurlArguments& curl, const Url& url, Session& session) {
  const Credentials& credentials = session.credentials();
  if (curl.token == CurlArguments::Token::optional) {
    if (auto stored = credentials.stored(url)) return std::move(*stored);
    print_notice("No token is stored for this application; the request is sent without one.\n");
    return {};
  }
  if (session.service_token())
    if (auto known = credentials.known(url)) return std::move(*known);
  Grant grant = credentials.obtain(url);
  if (!has_token(grant) || credentials.accepted_at_edge(url, grant)) return grant;
  return credentials.renew(url, grant);
}

// Makes curl connect to the same address as mayfly's own requests.
Words connect_to_arguments() {
  Words arguments;
  for (const std::string& entry : connect_to_from_environment())
    arguments.insert(arguments.end(), {"--connect-to", entry});
  return arguments;
}

// Returns whether the output goes to a terminal through a pipe of mayfly, so that curl does not see
// the terminal and would show its progress there.
bool hides_terminal(const GuardedCurl& guarded) {
  const auto& outputs = guarded.outputs;
  const bool is_cleaned = std::any_of(outputs.begin(), outputs.end(), [](const CleanedOutput& one) {
    return one.stream == STDOUT_FILENO;
  });
  return is_cleaned && !guarded.has_output_file && ::isatty(STDOUT_FILENO) == 1;
}

// Returns an empty credential if nothing is to be sent.
CurlCredential credential_for(const CurlRun& run, const Session& session, const Grant& grant) {
  const bool sends = grant.has_service_token || has_token(grant);
  if (grant.application && sends) refuse_other_paths(run, *grant.application);
  if (grant.application && grant.has_service_token)
    return service_token_for_curl(run, *session.service_token());
  if (grant.oauth) return bearer_for_curl(run, *grant.oauth);
  return grant.token ? token_for_curl(run, grant.token->jwt) : CurlCredential();
}

// Leads the heads of all answers to the watch, beside the files that the user names for them.
void watch_answers(GuardedCurl& guarded, Words& front, AnswerWatch& watch) {
  const auto hear = [&watch](std::string_view bytes) { watch.feed(bytes); };
  for (CleanedOutput& output : guarded.outputs)
    if (output.holds_heads) output.hear = hear;
  CleanedOutput heads{.as = CleanedOutput::As::nothing, .pipe = make_pipe("cannot watch curl")};
  heads.hear = hear;
  append(front, {"--dump-header", path_of(heads.pipe.writing)});
  guarded.outputs.push_back(std::move(heads));
}

std::vector<Secret> secrets_of(const Session& session, const Grant& grant) {
  std::vector<Secret> secrets;
  if (grant.token) secrets.push_back(grant.token->jwt);
  if (grant.oauth) secrets.push_back(grant.oauth->access);
  if (const auto service_token = session.service_token()) secrets.push_back(service_token->secret);
  return secrets;
}

// Returns the changes to the environment with which curl takes the same way as mayfly: it reads
// socks:// as SOCKS4, and does not know each form of NO_PROXY.
ChildEnvironment::Changes proxies_for_curl(const CurlArguments& curl) {
  ChildEnvironment::Changes changes;
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
    if (const std::string value = variable(name); proxy_for_curl(value) != value)
      changes.emplace_back(name, proxy_for_curl(value));
  std::string exempt = variable("no_proxy").empty() ? variable("NO_PROXY") : variable("no_proxy");
  const std::string before = exempt;
  for (const std::string& text : curl.urls) try {
      const Url url = parse_curl_url(text);
      if (is_exempt_by_pattern(url)) exempt.append(",").append(url.host);
    } catch (const Error&) {  // curl judges a URL that is not the application's
    }
  if (exempt != before) changes.emplace_back("no_proxy", exempt);
  return changes;
}

[[noreturn]] void become_curl(Words arguments, const ChildEnvironment::Changes& changes) {
  arguments.insert(arguments.begin(), "curl");
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  for (const int number : ignored_signals) ::signal(number, SIG_DFL);
  // curl uses the same proxies as mayfly.
  const ChildEnvironment environment(changes, ChildEnvironment::ProxyPasswords::kept);
  char** const own_environment = std::exchange(environ, const_cast<char**>(environment.get()));
  ::execvp("curl", words.data());
  environ = own_environment;  // that of curl ends with this function
  const Error reason = system_error("cannot run curl", errno);
  throw Error(reason.kind(), reason.message(), "install curl");
}

CurlArguments read_arguments(const Invocation& invocation) {
  if (invocation.arguments.empty())
    throw Error(ErrorKind::usage, "curl needs a URL", "run: mayfly access curl --help");
  CurlArguments curl = parse_curl_arguments(invocation.arguments);
  if (curl.urls.empty()) {
    throw Error(ErrorKind::usage, "there is no URL among curl's arguments",
                "run: mayfly access curl [curl's options] https://HOST/PATH");
  }
  complete_from_environment(curl.network.identity);
  return curl;
}

// A run of curl with a credential that has been obtained.
class CredentialedCurl {
 public:
  struct Ended {
    int code = 0;
    std::optional<AnswerWatch> watch = {};
  };

  // certificate: the arguments that name it, or nothing if curl is not to show it. Session and
  // grant outlive the object.
  CredentialedCurl(Session& session, const Grant& grant, std::optional<Words> certificate)
      : session_(session), grant_(grant), certificate_(std::move(certificate)) {}

  const Grant& grant() const noexcept { return grant_; }

  // Runs curl in the place of this process if nothing has to be seen of it.
  // by_steps: this run follows no redirect, and its answer is read (redirect_steps.hpp).
  Ended run(const CurlArguments& curl, GuardedCurl guarded, const Url& url, bool by_steps) const {
    Added added{.front = {}, .back = connect_to_arguments()};
    CurlPassword password;
    if (certificate_) {
      added.front = *certificate_;
      password = password_for_curl(session_.asked_password(), curl.network.identity);
    }
    const CurlCredential credential =
        credential_for({curl, guarded, url, session_.connection()}, session_, grant_);
    append(added.front, password.arguments);
    append(added.front, credential.arguments);
    append(added.back, credential.last);
    // Otherwise curl takes "HOST/PATH" for plain HTTP.
    if (!std::all_of(curl.urls.begin(), curl.urls.end(), has_scheme))
      append(added.front, {"--proto-default", "https"});
    if (!curl.network.trust.insecure) trust_environment_alone(curl, guarded);
    if (hides_terminal(guarded)) added.front.emplace_back("--no-progress-meter");
    Ended ended;
    if (grant_.has_service_token || by_steps) {
      ended.watch.emplace(url, grant_.application->auth_domain);
      watch_answers(guarded, added.front, *ended.watch);
    }
    if (by_steps) hide_end_at_redirect(guarded);
    const bool is_waited_for =
        guarded.follows && curl.redirects == CurlArguments::Redirects::refused && credential.file;
    if (is_waited_for)
      guarded.outputs.push_back(
          {.as = CleanedOutput::As::nothing, .pipe = make_pipe("cannot watch curl")});
    const auto proxies = proxies_for_curl(curl);
    session_.credentials().require_may_send(url, grant_);
    const auto start = [&] {
      // Not before: a browser of the login must not inherit them.
      hand_over(password.file);
      hand_over(credential.file);
      for (const Descriptor& file : guarded.files) hand_over(file);
      become_curl(with_added(curl, guarded, added), proxies);
    };
    if (guarded.outputs.empty()) start();
    ended.code = run_watched_curl(std::move(guarded.outputs), secrets_of(session_, grant_), start);
    return ended;
  }

 private:
  // curl says that it has ended at a redirect, after which the next run begins.
  static void hide_end_at_redirect(GuardedCurl& guarded) {
    constexpr std::string_view message = "curl: (47) ";
    for (CleanedOutput& output : guarded.outputs)
      if (output.stream == STDERR_FILENO) {
        output.left_out = message;
        return;
      }
    guarded.outputs.push_back(
        {.stream = STDERR_FILENO, .pipe = make_pipe("cannot watch curl"), .left_out = message});
  }

  Session& session_;
  const Grant& grant_;
  std::optional<Words> certificate_;
};

// Runs curl until an answer is no redirect that curl may follow.
int follow(const CredentialedCurl& runner, CurlArguments curl, GuardedCurl guarded, Url url) {
  const Grant& grant = runner.grant();
  const bool has_credential = grant.application && (has_token(grant) || grant.has_service_token);
  const auto position = has_credential ? position_of_followed_url(curl, guarded) : std::nullopt;
  for (int redirects = 0;; ++redirects) {
    const bool follows = guarded.follows;
    const auto [code, watch] = runner.run(curl, std::move(guarded), url, position.has_value());
    if (grant.has_service_token && watch->refusal()) {
      print_error(service_token_refused(grant.application->hostname, *watch->refusal()));
      return code == 0 ? static_cast<int>(ErrorKind::refused) : code;
    }
    const bool stopped = code == too_many_redirects && has_credential &&
                         curl.redirects == CurlArguments::Redirects::refused;
    const auto next = position && stopped ? watch->next() : std::nullopt;
    if (next && may_follow(url, *grant.application, *next)) {
      if (redirects == most_redirects) {
        print_error(redirects_do_not_end());
        return code;
      }
      url = *next;
      curl = with_url(std::move(curl), *position, url);
      guarded = guard_curl(curl);
      continue;
    }
    const bool leads_elsewhere = grant.has_service_token && watch->leads_elsewhere();
    if (follows && leads_elsewhere &&
        (position ? stopped : code != 0 && code != too_many_redirects))
      print_error(other_host_refused(url));
    else if (follows && stopped)
      print_error(redirect_refused(next));
    return code;
  }
}

int run(CurlFlags&, const Invocation& invocation) {
  CurlArguments curl = read_arguments(invocation);
  const IdentityFlags& identity = curl.network.identity;
  GuardedCurl guarded = guard_curl(curl);
  const Url url = application_of_curl_url(parse_curl_url(curl.urls.front()));
  const bool leaves_host = may_leave_host(curl, url);
  if (leaves_host && !identity.certificate.empty()) refuse_to_show_certificate();
  std::optional<Words> certificate = certificate_arguments(curl);  // also that of the environment
  Session session({.application = url,
                   .storage = Storage::for_persons,
                   .oauth = has_own_authorization(guarded) ? SessionOptions::Oauth::never
                                                           : SessionOptions::Oauth::allowed,
                   .started_by = SessionOptions::StartedBy::a_script},
                  curl.network);
  // Loads the certificate now: an error is found, and its password is asked for once.
  if (!identity.certificate.empty()) session.connection();
  const Grant grant = grant_for(curl, url, session);
  // A certificate of the environment has got the token, which is enough without it.
  const bool hides_certificate = leaves_host && !identity.certificate.empty();
  if (hides_certificate && !has_token(grant)) refuse_to_show_certificate();
  if (hides_certificate) certificate.reset();
  return follow(CredentialedCurl(session, grant, std::move(certificate)), std::move(curl),
                std::move(guarded), url);
}

}  // namespace

Command curl_command() {
  return {
      .name = "curl",
      .summary = "run curl with the token",
      .usage = {.synopsis = "curl [--allow-request] [shared flags] CURL-ARGUMENTS...",
                .description =
                    "Run curl in place with the token of the application that its URL names. "
                    "Its own --cert --key --cacert --proxy --connect-to --resolve and -k also "
                    "serve mayfly's requests.",
                .examples = "  mayfly curl -s https://api.example.com/status\n"
                            "  mayfly curl -X POST -d @order.json https://api.example.com/orders"},
      .bind = bind_and_run<CurlFlags, bind, run>};
}

}  // namespace mayfly::cli
