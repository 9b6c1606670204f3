// The checks of doctor, and the facts that they share. Each check looks at the facts of those
// before it, adds its own, and returns its result; an Error that it throws is its failure.
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
#include "access/identity/logout.hpp"
#include "access/identity/service_token.hpp"
#include "access/identity/token_store.hpp"
#include "access/system/files.hpp"
#include "access/tunnel/tunnel_probe.hpp"
#include "cli/doctor/check.hpp"
#include "cli/doctor/network.hpp"
#include "cli/doctor/ssh.hpp"
#include "cli/doctor/tunnel.hpp"
#include "cli/flags/network_flags.hpp"

namespace mayfly::cli::doctor {

struct Target {
  Url url;
  std::string typed;        // the name typed after ssh; "" if unknown
  std::string destination;  // HOST:PORT behind a bastion application, or ""
};

class Diagnosis {
 public:
  // Never interacts. Each of its connections has a deadline of a few seconds.
  Diagnosis(const Target& target, NetworkFlags flags);

  // From the command line.
  Url url;
  std::string typed, state_path;
  Url transfer_service;
  TunnelOptions tunnel;  // with the client certificate, if it can be used
  std::optional<ServiceToken> service_token;
  std::optional<Error> certificate_error, service_token_error;  // why it cannot be used

  // Created on first use, since unreadable CA certificates are an error.
  TunnelProbe& probe();
  Response send(const Request& request);

  // From the checks.
  std::optional<StateDirectory> state;  // nullopt if it is absent or state_is_broken
  std::optional<LogoutWatch> logouts;   // if there is a state
  bool state_is_broken = false;
  bool goes_by_proxy = false, proxy_works = false;
  std::optional<ProbedName> name;
  std::optional<int> ipv4_error, ipv6_error;  // errno; 0: connected
  std::optional<ProbedTls> tls;
  std::optional<ProbedClock> clock;
  bool is_clock_doubted_twice = false;  // the certificates of two servers are not valid by it
  Response first_answer;                // to the question for the application
  std::optional<Application> application;
  bool is_unprotected = false;        // there is no application, so that no token is needed
  bool machine_is_let_in = false;     // by client certificate or service token
  std::optional<Headers> credential;  // nullopt if the application is closed
  Shown shown = Shown::nothing;
  bool tunnel_is_open = false;
  Origin origin = Origin::unknown;
  sshconfig::SshAnswer ssh;
  SshRoute ssh_route;

  TeamOf team() const {
    return [this] { return application ? application->auth_domain : std::string(); };
  }
  // Returns whether a stored or earned token may still be sent: no logout has come meanwhile.
  bool may_send_tokens() const;
  bool has_trusted_connection() const { return tls && !tls->failure; }

 private:
  std::unique_ptr<TunnelProbe> probe_;
  std::unique_ptr<HttpClient> http_;
};

CheckResult check_state_directory(Diagnosis& diagnosis);
CheckResult check_proxy(Diagnosis& diagnosis);
CheckResult check_dns(Diagnosis& diagnosis);
CheckResult check_tcp_ipv4(Diagnosis& diagnosis);
CheckResult check_tcp_ipv6(Diagnosis& diagnosis);
CheckResult check_tls(Diagnosis& diagnosis);
CheckResult check_clock(Diagnosis& diagnosis);
CheckResult check_application(Diagnosis& diagnosis);
CheckResult check_client_certificate(Diagnosis& diagnosis);
CheckResult check_service_token(Diagnosis& diagnosis);
CheckResult check_token(Diagnosis& diagnosis);
CheckResult check_upgrade(Diagnosis& diagnosis);
CheckResult check_ssh_banner(Diagnosis& diagnosis);
CheckResult check_ssh_config(Diagnosis& diagnosis);
CheckResult check_ssh_certificate(Diagnosis& diagnosis);
CheckResult check_agent(Diagnosis& diagnosis);

// Adds to a result what Access says about the person of this token, which goes to the server `at`:
// a policy has refused the person. Adds nothing if Access does not say.
void add_person(CheckResult& result, Diagnosis& diagnosis, const Url& at, const Secret& token);

// Exchanges the stored org token for an app token, which is not stored. Returns nullopt if there is
// no org token or Access does not accept it.
std::optional<StoredToken> exchanged_token(Diagnosis& diagnosis);

}  // namespace mayfly::cli::doctor
