#include "cli/doctor/case.hpp"

#include "access/identity/transfer.hpp"
#include "cli/environment.hpp"
#include "cli/flags/network_values.hpp"

namespace mayfly::cli::doctor {
namespace {

// What takes longer is as good as broken, and there are many steps.
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

Case::Case(const Examined& examined)
    : url(examined.url), typed(examined.typed), state_path(state_directory_path()) {
  using Service = TransferOptions::Service;
  transfer_service.host =
      transfer_host(examined.flags.fedramp ? Service::fedramp : Service::commercial);
  NetworkFlags flags = examined.flags;
  flags.batch = true;  // so that nobody is asked for a password
  tunnel.url = url;
  tunnel.connection = connection_of(flags);
  tunnel.connection.certificate_origin = url.origin();
  tunnel.connection.connect_timeout = patience;
  tunnel.handshake_timeout = patience;
  if (!examined.destination.empty())
    tunnel.headers.add("Cf-Access-Jump-Destination", examined.destination);
  certificate_error = error_of([&] {
    tunnel.connection.client_certificate =
        client_certificate_of(flags, certificate_password(flags));
  });
  service_token_error = error_of([&] { service_token = service_token_of(flags); });
}

TunnelProbe& Case::probe() {
  if (!probe_) probe_ = std::make_unique<TunnelProbe>(tunnel);
  return *probe_;
}

Response Case::send(const Request& request) {
  if (!http_) http_ = std::make_unique<HttpClient>(tunnel.connection);
  return http_->send(request);
}

}  // namespace mayfly::cli::doctor
