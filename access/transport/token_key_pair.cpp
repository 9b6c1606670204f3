// Engines are the old way of OpenSSL, and on Debian 12 the only one to a token.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "access/transport/token_key_pair.hpp"

#include <fmt/format.h>
#include <openssl/engine.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include <cstdlib>

#include "access/core/error.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

struct Closed {
  void operator()(OSSL_STORE_CTX* store) const noexcept { OSSL_STORE_close(store); }
};
using StorePointer = std::unique_ptr<OSSL_STORE_CTX, Closed>;
using StoreInfoPointer = std::unique_ptr<OSSL_STORE_INFO, Release<OSSL_STORE_INFO_free>>;
using EnginePointer = std::unique_ptr<ENGINE, Release<ENGINE_free>>;

Error unusable(const std::string& uri, std::string_view why, std::string hint) {
  return {ErrorKind::usage, fmt::format("cannot use {}: {}", shown_uri(uri), why), std::move(hint)};
}

Error not_found(const std::string& uri, const Password& pin, std::string_view what) {
  const std::string why = take_openssl_error();
  if (pin.wanted() && !pin.known()) {
    return unusable(uri, "the token wants a PIN and there is none",
                    "give the PIN with --cert-password-file FILE");
  }
  return unusable(uri, fmt::format("{} cannot be had from the token: {}", what, why),
                  "check the PIN, and the URI against: p11tool --list-all, or pkcs11-tool -O");
}

// Percent-decoded attribute of the URI's query (RFC 7512 section 2.4); "" when absent.
std::string query_attribute(std::string_view uri, std::string_view name) {
  const std::size_t question = uri.find('?');
  if (question == std::string_view::npos) return {};
  for (const std::string_view part : split(uri.substr(question + 1), '&')) {
    if (part.size() <= name.size() || !part.starts_with(name) || part[name.size()] != '=') continue;
    std::string value;
    const std::string_view text = part.substr(name.size() + 1);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%' && i + 2 < text.size()) {
        value +=
            static_cast<char>(OPENSSL_hexchar2int(static_cast<unsigned char>(text[i + 1])) * 16 +
                              OPENSSL_hexchar2int(static_cast<unsigned char>(text[i + 2])));
        i += 2;
      } else {
        value += text[i];
      }
    }
    return value;
  }
  return {};
}

UI_METHOD* pin_dialogue() {
  static UI_METHOD* const method = UI_UTIL_wrap_read_pem_callback(&Password::on_pem, 0);
  return method;
}

// A provider takes its module from its configuration or this variable, and only once.
bool have_provider(const std::string& uri) {
  static const bool loaded = [&] {
    const std::string module = query_attribute(uri, "module-path");
    if (!module.empty()) setenv("PKCS11_PROVIDER_MODULE", module.c_str(), 1);
    // First, so that everything that is not on the token is still done by it.
    OSSL_PROVIDER_load(nullptr, "default");
    const bool found = OSSL_PROVIDER_try_load(nullptr, "pkcs11", 1) != nullptr;
    ERR_clear_error();
    return found;
  }();
  return loaded;
}

// The first object of that kind that the URI leads to.
StoreInfoPointer load_from_store(const std::string& uri, int kind, Password& pin) {
  const StorePointer store(OSSL_STORE_open(uri.c_str(), pin_dialogue(), &pin, nullptr, nullptr));
  if (!store || OSSL_STORE_expect(store.get(), kind) != 1) return nullptr;
  while (OSSL_STORE_eof(store.get()) == 0) {
    StoreInfoPointer info(OSSL_STORE_load(store.get()));
    if (info && OSSL_STORE_INFO_get_type(info.get()) == kind) return info;
    if (!info && OSSL_STORE_error(store.get()) != 0) return nullptr;
  }
  return nullptr;
}

EnginePointer open_engine(const std::string& uri) {
  ENGINE_load_dynamic();
  EnginePointer engine(ENGINE_by_id("pkcs11"));
  if (!engine) {
    ERR_clear_error();
    throw unusable(uri, "OpenSSL here cannot use PKCS#11 tokens",
                   "install the package pkcs11-provider or libengine-pkcs11-openssl");
  }
  const std::string module = query_attribute(uri, "module-path");
  if (!module.empty()) ENGINE_ctrl_cmd_string(engine.get(), "MODULE_PATH", module.c_str(), 0);
  ENGINE_ctrl_cmd_string(engine.get(), "QUIET", nullptr, 1);
  if (ENGINE_init(engine.get()) != 1) {
    throw unusable(uri, fmt::format("the PKCS#11 module cannot be used: {}", take_openssl_error()),
                   "name the module in the URI: ?module-path=/path/to/module.so");
  }
  // Its keys name it themselves. All others, such as those that verify tokens, are none of its
  // business, though libcurl makes every engine that is loaded serve them all.
  ENGINE_set_flags(engine.get(), ENGINE_get_flags(engine.get()) | ENGINE_FLAGS_NO_REGISTER_ALL);
  ENGINE_unregister_pkey_meths(engine.get());
  return engine;
}

// The engine takes a URI with an attribute it does not know for no URI at all.
std::string engine_uri(std::string_view uri) {
  const std::size_t question = uri.find('?');
  std::string known(uri.substr(0, question));
  if (question == std::string_view::npos) return known;
  char before = '?';
  for (const std::string_view part : split(uri.substr(question + 1), '&')) {
    if (!part.starts_with("pin-value=") && !part.starts_with("pin-source=")) continue;
    known += before;
    known += part;
    before = '&';
  }
  return known;
}

// Kept to the end of the process: keys refer to it.
ENGINE* engine_for(const std::string& uri) {
  static ENGINE* const engine = open_engine(uri).release();
  return engine;
}

X509Pointer certificate_by_engine(const std::string& uri, Password& pin) {
  ENGINE* engine = engine_for(uri);
  const std::string known = engine_uri(uri);
  struct {
    const char* uri;
    X509* certificate;
  } wanted{known.c_str(), nullptr};  // as the engine's LOAD_CERT_CTRL has it
  ENGINE_ctrl_cmd(engine, "SET_USER_INTERFACE", 0, pin_dialogue(), nullptr, 1);
  ENGINE_ctrl_cmd(engine, "SET_CALLBACK_DATA", 0, &pin, nullptr, 1);
  ENGINE_ctrl_cmd(engine, "LOAD_CERT_CTRL", 0, &wanted, nullptr, 1);
  return X509Pointer(wanted.certificate);
}

}  // namespace

bool is_token_uri(std::string_view text) {
  return equals_ignoring_case(text.substr(0, 7), "pkcs11:");
}

std::string shown_uri(std::string_view uri) {
  const std::size_t question = uri.find('?');
  return printable(uri.substr(0, question));
}

X509Pointer load_token_certificate(const std::string& uri, PasswordCache& passwords) {
  Password& pin = passwords.of("the PIN for " + shown_uri(uri));
  X509Pointer certificate;
  if (have_provider(uri)) {
    if (const StoreInfoPointer info = load_from_store(uri, OSSL_STORE_INFO_CERT, pin)) {
      certificate.reset(OSSL_STORE_INFO_get1_CERT(info.get()));
    }
  } else {
    certificate = certificate_by_engine(uri, pin);
  }
  pin.rethrow();
  if (!certificate) throw not_found(uri, pin, "the certificate");
  ERR_clear_error();
  return certificate;
}

KeyPointer load_token_key(const std::string& uri, PasswordCache& passwords) {
  Password& pin = passwords.of("the PIN for " + shown_uri(uri));
  KeyPointer key;
  if (have_provider(uri)) {
    if (const StoreInfoPointer info = load_from_store(uri, OSSL_STORE_INFO_PKEY, pin)) {
      key.reset(OSSL_STORE_INFO_get1_PKEY(info.get()));
    }
  } else {
    key.reset(
        ENGINE_load_private_key(engine_for(uri), engine_uri(uri).c_str(), pin_dialogue(), &pin));
  }
  pin.rethrow();
  if (!key) throw not_found(uri, pin, "the private key");
  ERR_clear_error();
  return key;
}

}  // namespace mayfly
