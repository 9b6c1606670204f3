// How connections are made: trust, proxy, client certificate, name overrides. The same for requests
// and tunnels.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace mayfly {

class ClientCertificate;
struct Url;

struct ConnectionOptions {
  std::string user_agent;
  std::string ca_file;       // --cacert; else SSL_CERT_FILE; else the system's
  std::string ca_directory;  // SSL_CERT_DIR
  std::string proxy;         // --proxy; "" leaves HTTPS_PROXY, ALL_PROXY and NO_PROXY to libcurl
  std::vector<std::string> connect_to;                 // curl's CONNECT_TO, "HOST:PORT:HOST2:PORT2"
  std::vector<std::string> resolve;                    // curl's RESOLVE, "HOST:PORT:ADDRESS"
  enum class Verify { yes, no } verify = Verify::yes;  // no: only for curl -k
  // It names the person or the machine, so no server but the application's is shown it.
  std::shared_ptr<const ClientCertificate> client_certificate;
  std::string certificate_origin;  // Url::origin() of the application; "" for no server at all
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(15);
};

// Returns the client certificate for connections to `url`: nullptr unless its origin (name and
// port) is the application's.
const ClientCertificate* certificate_for(const ConnectionOptions& options, const Url& url);

}  // namespace mayfly
