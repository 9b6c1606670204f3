#include "cli/session.hpp"

#include <fmt/core.h>

#include <chrono>

#include "access/core/secret.hpp"
#include "access/system/leftovers.hpp"
#include "cli/environment.hpp"
#include "cli/flags/network_values.hpp"
#include "cli/login/login_prompt.hpp"
#include "cli/terminal/message.hpp"
#include "cli/terminal/password_prompt.hpp"

namespace mayfly::cli {
namespace {

bool does_without_state(const NetworkFlags& flags, Storage storage) {
  const bool is_machine = !flags.service_token_id.empty() || !flags.certificate.empty();
  return storage == Storage::unused || (storage == Storage::for_persons && is_machine);
}

StateDirectory state_for(const NetworkFlags& flags, Storage storage) {
  if (!does_without_state(flags, storage)) return StateDirectory::open(state_directory_path());
  std::string path;
  try {
    path = state_directory_path();
  } catch (const Error& no_home) {
    return StateDirectory::none(no_home);
  }
  return StateDirectory::open_or_none(path);
}

CredentialOptions credential_options(const NetworkFlags& flags, Storage storage,
                                     std::optional<ServiceToken> token) {
  CredentialOptions options;
  if (does_without_state(flags, storage)) options.storage = CredentialOptions::Storage::optional;
  options.service_token = std::move(token);
  if (!flags.certificate.empty()) {
    options.client_certificate = CredentialOptions::ClientCertificate::present;
  }
  if (flags.batch) options.login = CredentialOptions::Login::never;
  if (flags.fedramp) options.transfer.service = TransferOptions::Service::fedramp;
  if (flags.auto_close) options.transfer.interstitial = TransferOptions::Interstitial::close;
  return options;
}

// Who waits for a slow answer sees for what.
Response send_showing_progress(HttpClient& client, const Request& request) {
  if (request.waiting) return client.send(request);
  ProgressLine line;
  Request shown = request;
  const auto begin = std::chrono::steady_clock::now();
  shown.waiting = [&] {
    const auto took =
        std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - begin);
    if (took >= std::chrono::seconds(2))
      line.show(fmt::format("waiting for {} ({} s)", request.url.host, took.count()));
  };
  return client.send(shown);
}

}  // namespace

Session::Session(const Url& application, NetworkFlags flags, Storage storage,
                 LogSettings::Terminal terminal)
    : certificate_origin_(application.origin()),
      flags_(std::move(flags)),
      state_(state_for(flags_, storage)),
      service_token_(service_token_of(flags_)) {
  wipe(flags_.service_token_secret);
  start_logging(log_settings_of(flags_, terminal));
  clear_leftovers(state_);
  send_ = [this](const Request& request) {
    if (!http_) http_ = std::make_unique<HttpClient>(connection());
    return send_showing_progress(*http_, request);
  };
  credentials_ = std::make_unique<Credentials>(state_, send_, terminal_login_prompt(flags_),
                                               credential_options(flags_, storage, service_token_));
}

Session::~Session() = default;

const ConnectionOptions& Session::connection() {
  const AskPassword ask = [this, password = certificate_password(flags_)](const std::string& what) {
    asked_password_ = password(what);
    return *asked_password_;
  };
  if (!connection_) {
    connection_ = connection_of(flags_);
    connection_->client_certificate = client_certificate_of(flags_, ask);
    connection_->certificate_origin = certificate_origin_;
  }
  return *connection_;
}

}  // namespace mayfly::cli
