#include "access/tls/token_key_pair.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/tls/token_engine.hpp"
#include "access/tls/token_provider.hpp"
#include "access/tls/token_uri.hpp"

namespace mayfly {
namespace {

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

// OpenSSL's engine and its provider read it whoever else can.
void refuse_open_pin_file(const std::string& uri) {
  const std::string path = pin_file_of(uri);
  struct stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
  throw unusable(uri, fmt::format("others can read its PIN in {}", printable(path)),
                 fmt::format("run: chmod 600 {}", printable(path)));
}

// One of the two ways to the same thing.
template <typename Pointer>
struct Ways {
  std::string_view what;
  Pointer (*by_engine)(const std::string&, Password&);
  Pointer (*by_provider)(const std::string&, Password&);
};

template <typename Pointer>
Pointer load(const std::string& uri, PasswordCache& passwords, const Ways<Pointer>& ways) {
  refuse_open_pin_file(uri);
  Password& pin = passwords.of("PIN of " + shown_uri(uri));
  Pointer found;
  if (have_token_engine(uri)) {
    found = ways.by_engine(uri, pin);
  } else if (have_token_provider(uri)) {
    found = ways.by_provider(uri, pin);
  } else {
    throw unusable(uri, "OpenSSL here cannot use PKCS#11 tokens",
                   "install the package libengine-pkcs11-openssl or pkcs11-provider");
  }
  pin.rethrow();
  if (!found) throw not_found(uri, pin, ways.what);
  ERR_clear_error();
  return found;
}

}  // namespace

UI_METHOD* pin_dialogue() {
  static UI_METHOD* const method = UI_UTIL_wrap_read_pem_callback(&Password::on_pem, 0);
  return method;
}

X509Pointer load_token_certificate(const std::string& uri, PasswordCache& passwords) {
  return load<X509Pointer>(uri, passwords,
                           {"the certificate", certificate_by_engine, certificate_by_provider});
}

KeyPointer load_token_key(const std::string& uri, PasswordCache& passwords) {
  return load<KeyPointer>(uri, passwords, {"the private key", key_by_engine, key_by_provider});
}

}  // namespace mayfly
