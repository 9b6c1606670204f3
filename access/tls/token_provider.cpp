#include "access/tls/token_provider.hpp"

#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/store.h>

#include <cstdlib>

#include "access/core/release.hpp"
#include "access/tls/token_key_pair.hpp"
#include "access/tls/token_uri.hpp"

namespace mayfly {
namespace {

using StorePointer = std::unique_ptr<OSSL_STORE_CTX, Release<OSSL_STORE_close>>;
using StoreInfoPointer = std::unique_ptr<OSSL_STORE_INFO, Release<OSSL_STORE_INFO_free>>;

// The first object of that kind that the URI leads to.
StoreInfoPointer load_from_store(const std::string& uri, int kind, Password& pin) {
  const std::string known = without_module(uri);
  const StorePointer store(OSSL_STORE_open(known.c_str(), pin_dialogue(), &pin, nullptr, nullptr));
  if (!store || OSSL_STORE_expect(store.get(), kind) != 1) return nullptr;
  while (OSSL_STORE_eof(store.get()) == 0) {
    StoreInfoPointer info(OSSL_STORE_load(store.get()));
    if (info && OSSL_STORE_INFO_get_type(info.get()) == kind) return info;
    if (!info && OSSL_STORE_error(store.get()) != 0) return nullptr;
  }
  return nullptr;
}

// A process that was forked, such as a listener's for its logins, has to log in to the token again,
// and the provider would ask at the terminal for a PIN that it had before.
OSSL_PROVIDER* try_load_provider() {
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
  char cache[] = "cache";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string("pkcs11-module-cache-pins", cache, sizeof cache - 1),
      OSSL_PARAM_construct_end()};
  return OSSL_PROVIDER_try_load_ex(nullptr, "pkcs11", parameters, 1);
#else
  return OSSL_PROVIDER_try_load(nullptr, "pkcs11", 1);
#endif
}

}  // namespace

bool have_token_provider(const std::string& uri) {
  static const bool loaded = [&] {
    // It takes its module from its configuration or this variable, and only once.
    const std::string module = module_of(uri);
    if (!module.empty()) setenv("PKCS11_PROVIDER_MODULE", module.c_str(), 1);
    // First, so that everything that is not on the token is still done by it.
    OSSL_PROVIDER_load(nullptr, "default");
    const bool found = try_load_provider() != nullptr;
    ERR_clear_error();
    return found;
  }();
  return loaded;
}

X509Pointer certificate_by_provider(const std::string& uri, Password& pin) {
  const StoreInfoPointer info = load_from_store(uri, OSSL_STORE_INFO_CERT, pin);
  return X509Pointer(info ? OSSL_STORE_INFO_get1_CERT(info.get()) : nullptr);
}

KeyPointer key_by_provider(const std::string& uri, Password& pin) {
  const StoreInfoPointer info = load_from_store(uri, OSSL_STORE_INFO_PKEY, pin);
  return KeyPointer(info ? OSSL_STORE_INFO_get1_PKEY(info.get()) : nullptr);
}

}  // namespace mayfly
