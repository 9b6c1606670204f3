#include "cli/doctor/diagnosis.hpp"

#include "access/identity/place.hpp"
#include "access/identity/transfer.hpp"
#include "cli/terminal/environment.hpp"

namespace mayfly::cli::doctor {
namespace {

constexpr std::chrono::seconds patience{8};

template <typename Make>
std::optional<Error> error_of(Make make) {
  try {
    make();
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  }
}

}  // namespace

Diagnosis::Diagnosis(const Target& target, NetworkFlags flags)
    : url(target.url), typed(target.typed), state_path(state_directory_path()) {
  using Service = TransferOptions::Service;
  transfer_service.host =
      transfer_host(flags.trust.fedramp ? Service::fedramp : Service::commercial);
  flags.interaction.batch = true;  // asks for no password
  url.query.clear();               // somebody else may have chosen it
  tunnel.url = url;
  tunnel.connection = connection_of(flags.trust);
  tunnel.connection.certificate_origin = url.origin();
  tunnel.connection.connect_timeout = patience;
  tunnel.handshake_timeout = patience;
  if (!target.destination.empty())
    tunnel.headers.add("Cf-Access-Jump-Destination", target.destination);
  certificate_error = error_of([&] {
    tunnel.connection.client_certificate = client_certificate_of(
        flags.identity, certificate_password(flags.identity, flags.interaction));
  });
  service_token_error = error_of([&] { service_token = service_token_of(flags.identity); });
}

TunnelProbe& Diagnosis::probe() {
  if (!probe_) probe_ = std::make_unique<TunnelProbe>(tunnel);
  return *probe_;
}

bool Diagnosis::may_send_tokens() const {
  return !logouts || !logouts->has_seen_logout(places_of(url, application));
}

Response Diagnosis::send(const Request& request) {
  if (!http_) http_ = std::make_unique<HttpClient>(tunnel.connection);
  return http_->send(request);
}

}  // namespace mayfly::cli::doctor
