#include "cli/session/session.hpp"

#include <fmt/core.h>

#include <chrono>

#include "access/core/error.hpp"
#include "access/core/secret.hpp"
#include "access/core/text.hpp"
#include "access/system/leftovers.hpp"
#include "cli/flags/network_flags.hpp"
#include "cli/session/calling_ssh.hpp"
#include "cli/session/login_prompt.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/message.hpp"
#include "cli/terminal/time_text.hpp"

namespace mayfly::cli {
namespace {

bool does_without_state(const NetworkFlags& flags, Storage storage) {
  return storage == Storage::unused ||
         (storage == Storage::for_persons && flags.identity.are_given());
}

// A person's login throws the reason if the directory cannot be used. A public application, which
// needs no login, works without it.
StateDirectory usable_or_none() {
  try {
    return StateDirectory::open(state_directory_path());
  } catch (const Error& reason) {
    return StateDirectory::none(reason);
  }
}

StateDirectory state_for(const NetworkFlags& flags, Storage storage) {
  if (storage == Storage::required) return StateDirectory::open(state_directory_path());
  if (!does_without_state(flags, storage)) return usable_or_none();
  std::string path;
  try {
    path = state_directory_path();
  } catch (const Error& no_home) {
    return StateDirectory::none(no_home);
  }
  return StateDirectory::open_or_none(path);
}

// Throws usage Error if --oauth cannot be obeyed.
CredentialOptions::Oauth oauth_of(const NetworkFlags& flags, SessionOptions::Oauth oauth) {
  using Oauth = CredentialOptions::Oauth;
  const bool is_wanted = flags.interaction.oauth;
  const auto refuse = [](std::string_view why, std::string_view hint) {
    throw Error(ErrorKind::usage, fmt::format("--oauth cannot be used: {}", why),
                std::string(hint));
  };
  if (is_wanted && flags.identity.have_service_token())
    refuse("a service token is no person who logs in", "leave one of the two out");
  if (is_wanted && flags.interaction.qr)
    refuse("the browser has to run on this computer, where the login ends", "leave out --qr");
  if (is_wanted && oauth == SessionOptions::Oauth::never)
    refuse("its token is no app token, and goes in the header Authorization",
           "leave out --oauth, or the Authorization of your own");
  if (oauth == SessionOptions::Oauth::never) return Oauth::never;
  return is_wanted ? Oauth::preferred : Oauth::when_stored;
}

CredentialOptions credential_options(const NetworkFlags& flags, Storage storage,
                                     std::optional<ServiceToken> token) {
  CredentialOptions options;
  if (does_without_state(flags, storage)) options.storage = CredentialOptions::Storage::optional;
  options.service_token = std::move(token);
  if (!flags.identity.certificate.empty())
    options.client_certificate = CredentialOptions::ClientCertificate::present;
  if (flags.interaction.batch) options.login = CredentialOptions::Login::never;
  if (flags.trust.fedramp) options.transfer.service = TransferOptions::Service::fedramp;
  if (flags.interaction.auto_close)
    options.transfer.interstitial = TransferOptions::Interstitial::close;
  return options;
}

ToldToShow told_to_show(const InteractionFlags& flags) {
  return flags.no_browser || flags.qr ? ToldToShow::yes : ToldToShow::no;
}

Response send_showing_progress(HttpClient& client, const Request& request) {
  if (request.waiting) return client.send(request);
  ProgressLine line;
  Request shown = request;
  const auto begin = std::chrono::steady_clock::now();
  shown.waiting = [&] {
    line.show_waiting(request.url.host, std::chrono::floor<std::chrono::seconds>(
                                            std::chrono::steady_clock::now() - begin));
  };
  return client.send(shown);
}

}  // namespace

Session::Session(const SessionOptions& options, NetworkFlags flags)
    : certificate_origin_(options.application.origin()),
      flags_(std::move(flags)),
      state_(state_for(flags_, options.storage)),
      service_token_(ServiceTokenSource::of(flags_.identity)) {
  wipe(flags_.identity.service_token_secret);
  start_logging(log_settings_of(flags_.logging, options.log));
  clear_leftovers(state_);
  send_ = [this](const Request& request) {
    if (!http_) http_ = std::make_unique<HttpClient>(connection());
    return send_showing_progress(*http_, request);
  };
  CredentialOptions credential = credential_options(flags_, options.storage, service_token());
  credential.oauth = oauth_of(flags_, options.oauth);
  using StartedBy = SessionOptions::StartedBy;
  if (options.started_by != StartedBy::a_person)
    credential.browser = CredentialOptions::Browser::detached;
  if (options.started_by == StartedBy::ssh)
    credential.objection_to_browser = [told = told_to_show(flags_.interaction)] {
      return objection_to_browser(told);
    };
  credential.close_connections = [this] { close_connections(); };
  LoginPrompt prompt = terminal_login_prompt(flags_.interaction, options.tells_login);
  options.watch_logins(prompt);
  credentials_ =
      std::make_unique<Credentials>(state_, send_, std::move(prompt), std::move(credential));
}

Session::~Session() = default;

void Session::close_connections() {
  http_.reset();
}

std::optional<ServiceToken> Session::service_token() const {
  if (!service_token_) return std::nullopt;
  return service_token_->current();
}

std::optional<ServiceToken> Session::service_token_after_refusal() const {
  if (!service_token_) return std::nullopt;
  return service_token_->read_again();
}

const ConnectionOptions& Session::connection() {
  if (connection_) return *connection_;
  const AskPassword ask = [&, password = certificate_password(flags_.identity, flags_.interaction)](
                              const std::string& what) {
    asked_password_ = password(what);
    return *asked_password_;
  };
  connection_ = connection_of(flags_.trust);
  connection_->client_certificate = client_certificate_of(flags_.identity, ask);
  connection_->certificate_origin = certificate_origin_;
  return *connection_;
}

std::string logged_in_line(const TokenClaims& claims, std::chrono::sys_seconds now) {
  const std::string who =
      claims.identity().empty() ? "" : fmt::format(" as {}", printable(claims.identity()));
  return fmt::format("logged in{} until {}", who, clock_text(claims.expires, now));
}

std::optional<sshgen::Agent> reachable_agent() {
  const std::string socket = variable("SSH_AUTH_SOCK");
  if (socket.empty()) return std::nullopt;
  try {
    return sshgen::Agent::connect(socket, std::chrono::seconds(3));
  } catch (const Error& error) {
    print_warning(error.message());
    return std::nullopt;
  }
}

}  // namespace mayfly::cli
