// What an examination is about, and what its steps have found so far.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/answer/machine.hpp"
#include "access/core/error.hpp"
#include "access/curl/http.hpp"
#include "access/dial/address_probe.hpp"
#include "access/identity/application.hpp"
#include "access/identity/service_token.hpp"
#include "access/system/files.hpp"
#include "access/tunnel/tunnel_probe.hpp"
#include "cli/doctor/examination.hpp"
#include "cli/doctor/network_findings.hpp"
#include "cli/doctor/ssh_findings.hpp"
#include "cli/doctor/tunnel_findings.hpp"

namespace mayfly::cli::doctor {

class Case {
 public:
  explicit Case(const Examined& examined);

  // Given.
  Url url;
  std::string typed, state_path;
  Url transfer_service;
  TunnelOptions tunnel;  // with the client certificate, when there is one that can be used
  std::optional<ServiceToken> service_token;
  std::optional<Error> certificate_error, service_token_error;  // why there is none

  // Made when first used, since trusted certificates that cannot be read are an error.
  TunnelProbe& probe();
  Response send(const Request& request);

  // Found.
  std::optional<StateDirectory> state;  // nothing: it is not there, or
  bool state_is_broken = false;
  bool goes_by_proxy = false, proxy_works = false;
  std::optional<ProbedName> name;
  std::optional<int> ipv4_error, ipv6_error;  // errno; 0: connected
  std::optional<ProbedTls> tls;
  std::optional<ProbedClock> clock;
  bool is_clock_doubted_twice = false;  // two servers' certificates are not valid by it
  Response first_answer;                // to the question for the application
  std::optional<Application> application;
  bool is_unguarded = false;       // no application there, so that no token is wanted
  bool machine_is_let_in = false;  // by client certificate or service token
  std::optional<Headers> opening;  // what opens the application
  Shown shown = Shown::nothing;
  bool tunnel_is_open = false;
  Origin origin = Origin::unknown;
  sshconfig::SshAnswer ssh;
  SshWay ssh_way;

  TeamOf team() const {
    return [this] { return application ? application->auth_domain : std::string(); };
  }
  bool has_trusted_connection() const { return tls && !tls->failure; }

 private:
  std::unique_ptr<TunnelProbe> probe_;
  std::unique_ptr<HttpClient> http_;
};

}  // namespace mayfly::cli::doctor
