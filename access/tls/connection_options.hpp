// Options of connections, shared by requests and tunnels: trust, proxy, client certificate,
// timeouts.
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
  std::string ca_file;       // --cacert, or SSL_CERT_FILE; if both are absent, the system's
  std::string ca_directory;  // SSL_CERT_DIR
  std::string proxy;         // --proxy; "" leaves HTTPS_PROXY, ALL_PROXY and NO_PROXY to libcurl
  std::vector<std::string> connect_to;                 // curl's CONNECT_TO, "HOST:PORT:HOST2:PORT2"
  std::vector<std::string> resolve;                    // curl's RESOLVE, "HOST:PORT:ADDRESS"
  enum class Verify { yes, no } verify = Verify::yes;  // no: only for curl -k
  // The client certificate identifies a person or a machine, so only the application sees it.
  std::shared_ptr<const ClientCertificate> client_certificate;
  std::string certificate_origin;  // Url::origin() of the application; "": no server may see it
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(15);
};

// Returns the client certificate for connections to `url`, or nullptr if the origin of `url` (name
// and port) is not the application's.
const ClientCertificate* certificate_for(const ConnectionOptions& options, const Url& url);

}  // namespace mayfly
