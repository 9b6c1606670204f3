#include "access/tls/server_name.hpp"

#include <fmt/core.h>
#include <openssl/x509v3.h>

#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/tls/openssl_owner.hpp"

namespace mayfly {

bool is_address(const std::string& host) {
  return is_ipv4(host) || is_ipv6(host);
}

void demand_server_name(X509_VERIFY_PARAM* verification, const std::string& host) {
  X509_VERIFY_PARAM_set_hostflags(
      verification, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const int taken = is_address(host)
                        ? X509_VERIFY_PARAM_set1_ip_asc(verification, host.c_str())
                        : X509_VERIFY_PARAM_set1_host(verification, host.c_str(), host.size());
  if (taken != 1)
    throw Error(ErrorKind::failed,
                fmt::format("cannot set up TLS: server name: {}", take_openssl_error()));
}

}  // namespace mayfly
