// A client certificate's file, and its key's when there is a second section. The password is
// "secret".
#include <openssl/ssl.h>

#include "access/tls/client_certificate.hpp"
#include "access/tls/openssl_owner.hpp"
#include "fuzz.hpp"
#include "property.hpp"
#include "scratch.hpp"

namespace mayfly::fuzz {
namespace {

const Harness harness("client_certificate", [](std::string_view input) {
  static const Scratch scratch;
  Input sections(input);
  scratch.put("certificate", sections.section());
  scratch.put("key", sections.rest());
  const ClientCertificateFiles files{.certificate = scratch / "certificate",
                                     .key = sections.rest().empty() ? "" : scratch / "key",
                                     .password = [](const std::string& what) {
                                       require(is_fit_to_show(what, 1000),
                                               "a question is fit to be shown");
                                       return Secret(std::string_view("secret"));
                                     }};
  const auto loaded =
      result_of({ErrorKind::usage}, [&] { return ClientCertificate::load(files, now); });
  require(ERR_peek_error() == 0, "OpenSSL's queue of errors is empty");
  if (!loaded) return;
  const ClientCertificate& certificate = **loaded;
  require(certificate.facts().not_before <= now && now <= certificate.facts().not_after,
          "it is valid now");
  for (const auto& text :
       {certificate.facts().subject, certificate.facts().issuer, certificate.facts().common_name})
    require(is_fit_to_show(text, 1000), "its names are fit to be shown");
  const SslContextPointer context(SSL_CTX_new(TLS_client_method()));
  certificate.use_in(context.get());
  require(SSL_CTX_check_private_key(context.get()) == 1, "certificate and key belong together");
});

}  // namespace
}  // namespace mayfly::fuzz
