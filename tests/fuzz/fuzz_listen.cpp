// Addresses to listen on.
#include "access/core/text.hpp"
#include "access/listen/listen_address.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

const Harness harness("listen", [](std::string_view input) {
  const auto address = result_of({ErrorKind::usage}, [&] { return ListenAddress::parse(input); });
  if (!address) return;
  if (address->family == ListenAddress::Family::unix_socket) {
    require(!address->path.empty() && address->path.find('\0') == std::string::npos,
            "a path is one for the system");
    return;
  }
  const std::string& host = address->host;
  require(host.empty() || is_host_name(host) ||
              host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string::npos,
          "a host is a name or an address");
});

}  // namespace
}  // namespace mayfly::fuzz
