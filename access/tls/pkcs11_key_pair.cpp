// OpenSSL 3 deprecates engines, but Debian 12 reaches PKCS#11 tokens only through an engine.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "access/tls/pkcs11_key_pair.hpp"

#include <fmt/core.h>
#include <openssl/opensslconf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <sys/stat.h>
#ifndef OPENSSL_NO_ENGINE
#include <openssl/engine.h>
#endif

#include <cstdlib>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/tls/pkcs11_uri.hpp"

namespace mayfly {
namespace {

#ifdef MAYFLY_STATIC
constexpr std::string_view no_pkcs11 =
    "this build of mayfly loads no libraries, so it cannot use PKCS#11 tokens";
constexpr const char* no_pkcs11_hint = "build mayfly from its source or as a Debian package";
#else
constexpr std::string_view no_pkcs11 = "OpenSSL here cannot use PKCS#11 tokens";
constexpr const char* no_pkcs11_hint =
    "install the package libengine-pkcs11-openssl or pkcs11-provider";
#endif

Error unusable(const std::string& uri, std::string_view why, std::string hint) {
  return {ErrorKind::usage, fmt::format("cannot use {}: {}", shown_uri(uri), why), std::move(hint)};
}

// Returns how OpenSSL asks for a PIN. The user data of the dialogue is a Password.
UI_METHOD* pin_dialogue() {
  static UI_METHOD* const method = UI_UTIL_wrap_read_pem_callback(&Password::on_pem, 0);
  return method;
}

// --- the engine "pkcs11" (libp11) ---
// It is loaded once, with the module of the first URI. The loading functions return nullptr on
// failure, with the reason in OpenSSL's error queue, and need have_engine().

#ifdef OPENSSL_NO_ENGINE

bool have_engine(const std::string&) {
  return false;
}
X509Pointer certificate_by_engine(const std::string&, Password&) {
  return nullptr;
}
KeyPointer key_by_engine(const std::string&, Password&) {
  return nullptr;
}

#else

using EnginePointer = std::unique_ptr<ENGINE, Release<ENGINE_free>>;

EnginePointer open_engine(const std::string& uri) {
  ENGINE_load_dynamic();
  EnginePointer engine(ENGINE_by_id("pkcs11"));
  if (!engine) {
    ERR_clear_error();
    return nullptr;
  }
  const std::string module = module_of(uri);
  if (!module.empty()) ENGINE_ctrl_cmd_string(engine.get(), "MODULE_PATH", module.c_str(), 0);
  ENGINE_ctrl_cmd_string(engine.get(), "QUIET", nullptr, 1);
  if (ENGINE_init(engine.get()) != 1) {
    throw unusable(uri, fmt::format("the PKCS#11 module cannot be used: {}", take_openssl_error()),
                   "name the module in the URI: ?module-path=/path/to/module.so");
  }
  // The engine serves its own keys only. Without this, libcurl would make it serve all keys, even
  // those that verify app tokens.
  ENGINE_set_flags(engine.get(), ENGINE_get_flags(engine.get()) | ENGINE_FLAGS_NO_REGISTER_ALL);
  ENGINE_unregister_pkey_meths(engine.get());
  return engine;
}

// Returns the engine, which is never freed because keys refer to it.
ENGINE* engine_for(const std::string& uri) {
  static ENGINE* const engine = open_engine(uri).release();
  return engine;
}

// Throws Error(usage) if the URI's module cannot be used.
bool have_engine(const std::string& uri) {
  return engine_for(uri) != nullptr;
}

X509Pointer certificate_by_engine(const std::string& uri, Password& pin) {
  ENGINE* engine = engine_for(uri);
  const std::string known = without_module(uri);
  struct {
    const char* uri;
    X509* certificate;
  } request{known.c_str(), nullptr};  // the layout that LOAD_CERT_CTRL expects
  ENGINE_ctrl_cmd(engine, "SET_USER_INTERFACE", 0, pin_dialogue(), nullptr, 1);
  ENGINE_ctrl_cmd(engine, "SET_CALLBACK_DATA", 0, &pin, nullptr, 1);
  ENGINE_ctrl_cmd(engine, "LOAD_CERT_CTRL", 0, &request, nullptr, 1);
  return X509Pointer(request.certificate);
}

KeyPointer key_by_engine(const std::string& uri, Password& pin) {
  const std::string known = without_module(uri);
  return KeyPointer(ENGINE_load_private_key(engine_for(uri), known.c_str(), pin_dialogue(), &pin));
}

#endif

// --- the provider "pkcs11", for an OpenSSL without engines ---
// The same rules hold as for the engine.

using StorePointer = std::unique_ptr<OSSL_STORE_CTX, Release<OSSL_STORE_close>>;
using StoreInfoPointer = std::unique_ptr<OSSL_STORE_INFO, Release<OSSL_STORE_INFO_free>>;

// Returns the first object of that kind which the URI names.
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

// A forked process, such as a listener's login process, has to log in to the PKCS#11 token again.
// The provider would then ask at the terminal for the PIN, so it has to remember it.
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

bool have_provider(const std::string& uri) {
  static const bool loaded = [&] {
    // The provider reads its module from its configuration or this variable, and only once.
    const std::string module = module_of(uri);
    if (!module.empty()) setenv("PKCS11_PROVIDER_MODULE", module.c_str(), 1);
    // The default provider is loaded first, so that it keeps serving everything else.
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

// --- either of the two ---

template <typename Pointer>
struct Loaders {
  std::string_view object;  // for messages
  Pointer (*by_engine)(const std::string&, Password&);
  Pointer (*by_provider)(const std::string&, Password&);
};

Error not_found(const std::string& uri, const Password& pin, std::string_view object) {
  const std::string why = take_openssl_error();
  if (pin.wanted() && !pin.known()) {
    return unusable(uri, "the token wants a PIN and there is none",
                    "give the PIN with --cert-password-file FILE");
  }
  return unusable(uri, fmt::format("{} cannot be loaded from the token: {}", object, why),
                  "check the PIN, and the URI against: p11tool --list-all, or pkcs11-tool -O");
}

// OpenSSL's engine and provider read a PIN file whatever its mode is.
void refuse_open_pin_file(const std::string& uri) {
  const std::string path = pin_file_of(uri);
  struct stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
  throw unusable(uri, fmt::format("others can read its PIN in {}", printable(path)),
                 fmt::format("run: chmod 600 {}", pasted_word(printable(path))));
}

template <typename Pointer>
Pointer load(const std::string& uri, PasswordCache& passwords, const Loaders<Pointer>& loaders) {
  refuse_open_pin_file(uri);
  Password& pin = passwords.of("PIN of " + shown_uri(uri));
  Pointer found;
  if (have_engine(uri)) {
    found = loaders.by_engine(uri, pin);
  } else if (have_provider(uri)) {
    found = loaders.by_provider(uri, pin);
  } else {
    throw unusable(uri, no_pkcs11, no_pkcs11_hint);
  }
  pin.rethrow();
  if (!found) throw not_found(uri, pin, loaders.object);
  ERR_clear_error();
  return found;
}

}  // namespace

X509Pointer load_pkcs11_certificate(const std::string& uri, PasswordCache& passwords) {
  return load<X509Pointer>(uri, passwords,
                           {"the certificate", certificate_by_engine, certificate_by_provider});
}

KeyPointer load_pkcs11_key(const std::string& uri, PasswordCache& passwords) {
  return load<KeyPointer>(uri, passwords, {"the private key", key_by_engine, key_by_provider});
}

}  // namespace mayfly
