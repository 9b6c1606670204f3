// Why a connection failed below HTTP, in words a person can act on; `where` is the origin, without
// "https://".
#pragma once

#include <optional>
#include <string_view>

#include "access/core/error.hpp"
#include "access/tls/handshake.hpp"

namespace mayfly {

Error unknown_name_error(std::string_view where, std::string_view host);

struct ConnectFailure {
  std::string_view otherwise;     // said when there is no errno
  std::string_view address = {};  // that was tried, when it is known
};
// error_number: errno of connect(), or 0.
Error connect_error(std::string_view where, int error_number, const ConnectFailure& failure);

// What the certificate was found to lack: issuer, dates or the right name. Nothing when it was
// trusted.
std::optional<Error> trust_error(std::string_view where, const HandshakeReport& report);

// The server's alert: about our client certificate (kind refused), or another (network). Nothing
// when there was none.
std::optional<Error> alert_error(std::string_view where, const HandshakeReport& report);

// The server's certificate is for other names.
Error wrong_name_error(std::string_view where, const HandshakeReport& report);

}  // namespace mayfly
