#include "access/tls/key_exchange.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "access/core/text.hpp"

namespace mayfly {

void offer_post_quantum_first(SSL_CTX* context) noexcept {
  // The first is the default of OpenSSL 3.5, which the system's configuration may have changed;
  // versions before 3.5 do not read it. The second is for those that have the group from a
  // provider. The macro is spelled out, since its C cast is a warning.
  for (const char* groups : {"?*X25519MLKEM768 / ?*X25519:?secp256r1 / ?X448:?secp384r1:?secp521r1",
                             "X25519MLKEM768:X25519:secp256r1:X448:secp384r1:secp521r1"}) {
    ERR_set_mark();
    const long set = SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, const_cast<char*>(groups));
    ERR_pop_to_mark();
    if (set == 1) return;
  }
}

std::string key_exchange_group(SSL* ssl) {
  const long group = SSL_ctrl(ssl, SSL_CTRL_GET_NEGOTIATED_GROUP, 0, nullptr);
  const char* name = group == 0 ? nullptr : SSL_group_to_name(ssl, static_cast<int>(group));
  return name == nullptr ? "" : printable(name);
}

bool is_post_quantum(std::string_view group) {
  return to_lower(group).find("mlkem") != std::string::npos;
}

}  // namespace mayfly
