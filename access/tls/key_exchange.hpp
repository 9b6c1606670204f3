// The key exchange of TLS: the groups that are offered, and the group that was chosen.
#pragma once

#include <string>
#include <string_view>

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace mayfly {

// Offers X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem) before all other groups, and a key share of
// it, if this OpenSSL has it: 3.5 and later do. Otherwise OpenSSL's own groups stay.
void offer_post_quantum_first(SSL_CTX* context) noexcept;

// Returns the name of the group of a finished handshake, such as "X25519MLKEM768" or "x25519", or
// "" if it is not known.
std::string key_exchange_group(SSL* ssl);

// Returns whether a quantum computer cannot recover the keys of a recorded connection with this
// group.
bool is_post_quantum(std::string_view group);

}  // namespace mayfly
