// Engines are the old way of OpenSSL, and gone from the newest.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "access/tls/token_engine.hpp"

#include <fmt/core.h>
#include <openssl/opensslconf.h>

#include "access/core/error.hpp"
#include "access/tls/token_key_pair.hpp"
#include "access/tls/token_uri.hpp"

#ifdef OPENSSL_NO_ENGINE

namespace mayfly {

bool have_token_engine(const std::string&) {
  return false;
}
X509Pointer certificate_by_engine(const std::string&, Password&) {
  return nullptr;
}
KeyPointer key_by_engine(const std::string&, Password&) {
  return nullptr;
}

}  // namespace mayfly

#else

#include <openssl/engine.h>

namespace mayfly {
namespace {

using EnginePointer = std::unique_ptr<ENGINE, Release<ENGINE_free> >;

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
    throw Error(ErrorKind::usage,
                fmt::format("cannot use {}: the PKCS#11 module cannot be used: {}", shown_uri(uri),
                            take_openssl_error()),
                "name the module in the URI: ?module-path=/path/to/module.so");
  }
  // Its keys name it themselves. All others, such as those that verify tokens, are none of its
  // business, though libcurl makes every engine that is loaded serve them all.
  ENGINE_set_flags(engine.get(), ENGINE_get_flags(engine.get()) | ENGINE_FLAGS_NO_REGISTER_ALL);
  ENGINE_unregister_pkey_meths(engine.get());
  return engine;
}

// Kept to the end of the process: keys refer to it.
ENGINE* engine_for(const std::string& uri) {
  static ENGINE* const engine = open_engine(uri).release();
  return engine;
}

}  // namespace

bool have_token_engine(const std::string& uri) {
  return engine_for(uri) != nullptr;
}

X509Pointer certificate_by_engine(const std::string& uri, Password& pin) {
  ENGINE* engine = engine_for(uri);
  const std::string known = without_module(uri);
  struct {
    const char* uri;
    X509* certificate;
  } wanted{known.c_str(), nullptr};  // as the engine's LOAD_CERT_CTRL has it
  ENGINE_ctrl_cmd(engine, "SET_USER_INTERFACE", 0, pin_dialogue(), nullptr, 1);
  ENGINE_ctrl_cmd(engine, "SET_CALLBACK_DATA", 0, &pin, nullptr, 1);
  ENGINE_ctrl_cmd(engine, "LOAD_CERT_CTRL", 0, &wanted, nullptr, 1);
  return X509Pointer(wanted.certificate);
}

KeyPointer key_by_engine(const std::string& uri, Password& pin) {
  const std::string known = without_module(uri);
  return KeyPointer(ENGINE_load_private_key(engine_for(uri), known.c_str(), pin_dialogue(), &pin));
}

}  // namespace mayfly

#endif
