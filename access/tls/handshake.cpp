#include "access/tls/handshake.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "access/core/clock.hpp"
#include "access/core/text.hpp"
#include "access/tls/openssl_owner.hpp"

namespace mayfly {
namespace {

constexpr int max_acceptable_issuers = 20;
constexpr int max_names = 20;

std::string name_text(const X509_NAME* name) {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  if (!bio) throw std::bad_alloc();
  X509_NAME_print_ex(bio.get(), name, 0,
                     XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  if (size <= 0) return "(no name)";
  return printable({text, static_cast<std::size_t>(size)});
}

std::string common_name_of(const X509_NAME* name) {
  const int position = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (position < 0) return {};
  unsigned char* utf8 = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, position)));
  if (size < 0) return {};
  struct Free {
    void operator()(unsigned char* memory) const noexcept { OPENSSL_free(memory); }
  };
  const std::unique_ptr<unsigned char, Free> owner(utf8);
  return printable({reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size)});
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  const unsigned char* bytes = ASN1_STRING_get0_data(address);
  if (ASN1_STRING_length(address) == 4) {
    return fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
  }
  if (ASN1_STRING_length(address) != 16) return "(bad address)";
  std::string text;
  for (int i = 0; i < 16; i += 2) {
    text += fmt::format("{}{:x}", i == 0 ? "" : ":", bytes[i] << 8 | bytes[i + 1]);
  }
  return text;
}

std::vector<std::string> names_of(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> texts;
  for (int i = 0; i < std::min(sk_GENERAL_NAME_num(names.get()), max_names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      texts.push_back(
          printable({reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                     static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))}));
    } else if (name->type == GEN_IPADD) {
      texts.push_back(address_text(name->d.iPAddress));
    }
  }
  return texts;
}

std::chrono::sys_seconds time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::sys_seconds(std::chrono::seconds(timegm(&parts)));
}

// Returns the index of the report in the data of a context.
int report_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// Returns the index of the report in the data of a connection.
int connection_report_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

HandshakeReport& report_of(const SSL* ssl) {
  if (void* own = SSL_get_ex_data(ssl, connection_report_index()); own != nullptr)
    return *static_cast<HandshakeReport*>(own);
  return *static_cast<HandshakeReport*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), report_index()));
}

HandshakeReport::Certificate reference(X509* certificate) {
  if (certificate != nullptr) X509_up_ref(certificate);
  return HandshakeReport::Certificate(certificate);
}

// Records the verification and leaves the verdict to OpenSSL.
int on_verify(int verdict, X509_STORE_CTX* chain) noexcept {
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  HandshakeReport& report = report_of(ssl);
  if (!report.server) report.server = reference(X509_STORE_CTX_get0_cert(chain));
  if (verdict == 0 && report.verify_error == 0) {
    report.verify_error = X509_STORE_CTX_get_error(chain);
    report.rejected = reference(X509_STORE_CTX_get_current_cert(chain));
  }
  return verdict;
}

void on_progress(const SSL* ssl, int where, int value) noexcept {
  if ((where & SSL_CB_ALERT) == 0 || (where & SSL_CB_READ) == 0) return;
  const int description = value & 0xff;
  if (description != SSL_AD_CLOSE_NOTIFY) report_of(ssl).alert = description;
}

}  // namespace

std::string CertificateRequest::text() const {
  if (!asked) return "the edge did not ask for a client certificate";
  const std::string wanted =
      acceptable_issuers.empty()
          ? ""
          : fmt::format(" issued by \"{}\"", fmt::join(acceptable_issuers, "\" or \""));
  if (sent.empty()) return "the edge asked for a client certificate" + wanted + "; none was sent";
  return "the client certificate sent was " + sent +
         (wanted.empty() ? "" : "; the edge asked for one" + wanted);
}

void HandshakeReport::FreeX509::operator()(X509* certificate) const noexcept {
  X509_free(certificate);
}

void HandshakeReport::clear_failure() {
  begun = false;
  server.reset();
  rejected.reset();
  verify_error = 0;
  alert.reset();
}

bool is_about_dates(const HandshakeReport& report) {
  return report.verify_error == X509_V_ERR_CERT_HAS_EXPIRED ||
         report.verify_error == X509_V_ERR_CERT_NOT_YET_VALID;
}

std::string HandshakeReport::alert_text() const {
  if (!alert) return {};
  return fmt::format("TLS alert {} ({})", *alert, SSL_alert_desc_string_long(*alert));
}

bool HandshakeReport::client_certificate_refused() const {
  if (!alert) return false;
  switch (*alert) {
    case SSL_AD_CERTIFICATE_REQUIRED:
    case SSL_AD_NO_CERTIFICATE:
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
      return true;
    case SSL_AD_HANDSHAKE_FAILURE:  // from TLS 1.2 servers that miss a client certificate
      return request.asked;
    default:
      return false;
  }
}

CertificateFacts facts_of(const X509* certificate) {
  return {.subject = name_text(X509_get_subject_name(certificate)),
          .issuer = name_text(X509_get_issuer_name(certificate)),
          .common_name = common_name_of(X509_get_subject_name(certificate)),
          .names = names_of(certificate),
          .not_before = time_of(X509_get0_notBefore(certificate)),
          .not_after = time_of(X509_get0_notAfter(certificate))};
}

std::string certificate_text(const CertificateFacts& facts) {
  return fmt::format("\"{}\", issued by \"{}\", valid from {} to {}", facts.subject, facts.issuer,
                     utc_text(facts.not_before), utc_text(facts.not_after));
}

void note_certificate_request(SSL* ssl, HandshakeReport& report) {
  const X509* own = SSL_get_certificate(ssl);
  report.request = {.asked = true,
                    .sent = own != nullptr ? certificate_text(facts_of(own)) : "",
                    .acceptable_issuers = {}};
  const STACK_OF(X509_NAME)* issuers = SSL_get0_peer_CA_list(ssl);
  for (int i = 0; i < std::min(sk_X509_NAME_num(issuers), max_acceptable_issuers); ++i) {
    report.request.acceptable_issuers.push_back(name_text(sk_X509_NAME_value(issuers, i)));
  }
}

void watch_handshake(SSL_CTX* context, HandshakeReport* report) {
  SSL_CTX_set_ex_data(context, report_index(), report);
  SSL_CTX_set_verify(context, SSL_CTX_get_verify_mode(context), on_verify);
  SSL_CTX_set_info_callback(context, on_progress);
}

void watch_handshake(SSL* ssl, HandshakeReport* report) {
  SSL_set_ex_data(ssl, connection_report_index(), report);
  SSL_set_verify(ssl, SSL_get_verify_mode(ssl), on_verify);
  SSL_set_info_callback(ssl, on_progress);
}

}  // namespace mayfly
