// Messages for connections that fail below HTTP. `where` is the origin without "https://".
#pragma once

#include <optional>
#include <string_view>

#include "access/core/error.hpp"
#include "access/tls/handshake.hpp"

namespace mayfly {

Error unknown_name_error(std::string_view where, std::string_view host);

struct ConnectFailure {
  std::string_view otherwise;     // the reason if there is no errno
  std::string_view address = {};  // the address that was tried, if known
};
// error_number: errno of connect(), or 0.
Error connect_error(std::string_view where, int error_number, const ConnectFailure& failure);

// Returns the error for a server certificate that is not trusted (issuer, dates or name), or
// nullopt if it is trusted.
std::optional<Error> trust_error(std::string_view where, const HandshakeReport& report);

// Returns the error for the server's alert, or nullopt if there was none. The kind is refused if
// the alert is about our client certificate, and network otherwise.
std::optional<Error> alert_error(std::string_view where, const HandshakeReport& report);

// Returns the error for a server certificate that is valid for other names.
Error wrong_name_error(std::string_view where, const HandshakeReport& report);

}  // namespace mayfly
