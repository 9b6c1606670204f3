// The root CA and the server certificates it issues, one for each host name asked for.
#include "authority.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <stdexcept>

namespace edge {
namespace {

constexpr long day = 86400;

void set_name(X509_NAME* name, const std::string& common_name) {
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.data());
  const int size = static_cast<int>(std::min<std::size_t>(common_name.size(), 64));
  require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, size, -1, 0) == 1,
          "naming a certificate");
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require(extension != nullptr, "making a certificate extension");
  const std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> owner(extension);
  require(X509_add_ext(certificate, extension, -1) == 1, "adding a certificate extension");
}

Certificate blank_certificate(const std::string& common_name, EVP_PKEY* key) {
  Certificate certificate(X509_new());
  require(certificate != nullptr, "making a certificate");
  X509_set_version(certificate.get(), 2);
  const std::string serial = random_bytes(16);
  const Number number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(serial.data()), 16, nullptr));
  BN_clear_bit(number.get(), 127);
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get()));
  set_name(X509_get_subject_name(certificate.get()), common_name);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

void set_validity(X509* certificate, long from, long until) {
  X509_gmtime_adj(X509_getm_notBefore(certificate), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate), until);
}

void sign(X509* certificate, EVP_PKEY* key) {
  require(X509_sign(certificate, key, EVP_sha256()) > 0, "signing a certificate");
}

Certificate make_root(EVP_PKEY* key) {
  Certificate root = blank_certificate("Edge Test Root", key);
  X509_set_issuer_name(root.get(), X509_get_subject_name(root.get()));
  set_validity(root.get(), -day, 3650 * day);
  add_extension(root.get(), root.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(root.get(), root.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(root.get(), root.get(), NID_subject_key_identifier, "hash");
  sign(root.get(), key);
  return root;
}

void write_certificate(const std::string& path, X509* certificate) {
  Memory memory(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_X509(memory.get(), certificate) == 1, "writing a certificate");
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  write_file(path, {data, static_cast<std::size_t>(size)}, Access::everybody);
}

}  // namespace

Authority::Authority(const std::string& directory) : server_key_(generate_p256()) {
  const std::string certificate_path = directory + "/ca.pem";
  const std::string key_path = directory + "/ca.key";
  if (std::filesystem::exists(certificate_path) && std::filesystem::exists(key_path)) {
    ca_key_ = read_private_key(key_path);
    ca_ = std::move(parse_certificates(read_file(certificate_path)).front());
    return;
  }
  ca_key_ = generate_p256();
  ca_ = make_root(ca_key_.get());
  write_private_key(key_path, ca_key_.get());
  write_certificate(certificate_path, ca_.get());
}

X509* Authority::certificate(const std::string& host, Flaw flaw) {
  Certificate& slot = issued_[{host, flaw}];
  if (slot) return slot.get();
  const std::string name = flaw == Flaw::wrong_host ? "somewhere-else.invalid" : host;
  Certificate leaf = blank_certificate(name, server_key_.get());
  X509* issuer = flaw == Flaw::self_signed ? leaf.get() : ca_.get();
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(issuer));
  // Clients with a clock that is off by days are still let in; a flawed one ended an hour ago.
  set_validity(leaf.get(), -30 * day, flaw == Flaw::expired ? -3600 : 60 * day);
  add_extension(leaf.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(leaf.get(), issuer, NID_key_usage, "critical,digitalSignature");
  add_extension(leaf.get(), issuer, NID_ext_key_usage, "serverAuth");
  // Strict clients demand both (RFC 5280 section 4.2.1.1), Python 3.13 among them.
  add_extension(leaf.get(), issuer, NID_subject_key_identifier, "hash");
  if (flaw != Flaw::self_signed) {
    add_extension(leaf.get(), issuer, NID_authority_key_identifier, "keyid:always");
  }
  const std::string addresses = host == "localhost" ? ",IP:127.0.0.1,IP:::1" : "";
  add_extension(leaf.get(), issuer, NID_subject_alt_name, "DNS:" + name + addresses);
  sign(leaf.get(), flaw == Flaw::self_signed ? server_key_.get() : ca_key_.get());
  slot = std::move(leaf);
  return slot.get();
}

std::vector<Certificate> parse_certificates(const std::string& pem) {
  std::vector<Certificate> list;
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (X509* one = PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr)) {
    list.emplace_back(one);
  }
  ERR_clear_error();
  if (list.empty()) throw std::runtime_error("no certificate in the PEM text");
  return list;
}

}  // namespace edge
