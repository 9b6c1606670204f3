#include "access/tls/client_certificate.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"
#include "access/core/url.hpp"
#include "access/tls/connection_options.hpp"
#include "access/tls/key_pair_files.hpp"
#include "access/tls/openssl_owner.hpp"
#include "access/tls/pkcs11_key_pair.hpp"
#include "access/tls/pkcs11_uri.hpp"

namespace mayfly {
namespace {

using std::chrono::sys_seconds;

std::string shown(const std::string& source) {
  return is_pkcs11_uri(source) ? shown_uri(source) : printable(source);
}

const std::string& key_source(const ClientCertificateFiles& files) {
  return files.key.empty() ? files.certificate : files.key;
}

KeyPair read_pair(const ClientCertificateFiles& files, PasswordCache& passwords) {
  KeyPair pair;
  if (is_pkcs11_uri(files.certificate)) {
    pair.certificates.push_back(load_pkcs11_certificate(files.certificate, passwords));
  } else {
    const WantKey want_key = files.key.empty() ? WantKey::yes : WantKey::no;
    pair = read_certificate_file(files.certificate, want_key, passwords);
    if (want_key == WantKey::yes) return pair;
  }
  const std::string& key = key_source(files);
  pair.key = is_pkcs11_uri(key) ? load_pkcs11_key(key, passwords) : read_key_file(key, passwords);
  return pair;
}

// Puts the certificate of the key first, since some files begin with the issuer's.
void put_leaf_first(KeyPair& pair, const ClientCertificateFiles& files) {
  const auto leaf =
      std::find_if(pair.certificates.begin(), pair.certificates.end(), [&](const auto& candidate) {
        return X509_check_private_key(candidate.get(), pair.key.get()) == 1;
      });
  ERR_clear_error();
  if (leaf == pair.certificates.end()) {
    throw Error(ErrorKind::usage,
                fmt::format("the private key in {} does not belong to the certificate in {}",
                            shown(key_source(files)), shown(files.certificate)),
                "give --cert and --key that were issued together");
  }
  std::rotate(pair.certificates.begin(), leaf, leaf + 1);
}

void check_dates(const CertificateFacts& facts, const std::string& source, sys_seconds now) {
  const std::string clock = fmt::format("this computer's clock says {}", utc_text(now));
  if (now > facts.not_after) {
    throw Error(ErrorKind::usage,
                fmt::format("the client certificate \"{}\" in {} expired on {}", facts.subject,
                            shown(source), utc_text(facts.not_after)),
                fmt::format("have a new one issued by \"{}\"; {}", facts.issuer, clock));
  }
  if (now < facts.not_before) {
    throw Error(ErrorKind::usage,
                fmt::format("the client certificate \"{}\" in {} is not valid before {}",
                            facts.subject, shown(source), utc_text(facts.not_before)),
                fmt::format("wait, or set the clock if it is wrong; {}", clock));
  }
}

// Frees the stack, but not its certificates.
struct FreeStackOnly {
  void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_free(stack); }
};

void install(const KeyPair& pair, SSL_CTX* context, const std::string& source) {
  const std::unique_ptr<STACK_OF(X509), FreeStackOnly> chain(sk_X509_new_null());
  for (std::size_t i = 1; i < pair.certificates.size(); ++i) {
    sk_X509_push(chain.get(), pair.certificates[i].get());
  }
  if (SSL_CTX_use_cert_and_key(context, pair.certificates.front().get(), pair.key.get(),
                               chain.get(), 1) == 1) {
    // An unreadable extension leaves an error in the queue even so, and SSL_get_error() would
    // attribute it to the connection.
    ERR_clear_error();
    return;
  }
  throw Error(ErrorKind::usage,
              fmt::format("cannot use the client certificate in {}: {}", shown(source),
                          take_openssl_error()),
              "it may be too weak for today's rules: have a new one issued");
}

// Finds faults that would fail the handshake: small keys, old digests.
void try_out(const KeyPair& pair, const std::string& source) {
  const SslContextPointer context(SSL_CTX_new(TLS_client_method()));
  if (!context) throw std::bad_alloc();
  install(pair, context.get(), source);
}

}  // namespace

struct ClientCertificate::Impl {
  using Stamps = std::array<FileStamp, 2>;

  ClientCertificateFiles files;
  PasswordCache passwords;
  Stamps seen{};  // of the files when they were last read, usable or not
  KeyPair pair;
  CertificateFacts facts;

  explicit Impl(ClientCertificateFiles sources)
      : files(std::move(sources)), passwords(files.password) {}

  // The object of a PKCS#11 token URI does not change.
  static FileStamp stamp(const std::string& source) {
    return is_pkcs11_uri(source) ? FileStamp{} : stamp_of(source);
  }
  Stamps stamps() const { return {stamp(files.certificate), stamp(key_source(files))}; }

  // Reads the files. If it throws, the pair in use stays.
  void read(sys_seconds now) {
    seen = stamps();  // before reading, so that a change in between is noticed next time
    KeyPair fresh = read_pair(files, passwords);
    put_leaf_first(fresh, files);
    CertificateFacts fresh_facts = facts_of(fresh.certificates.front().get());
    check_dates(fresh_facts, files.certificate, now);
    try_out(fresh, files.certificate);
    pair = std::move(fresh);
    facts = std::move(fresh_facts);
  }

  // Keeps the pair in use if the files are half written: they change once more when the renewal
  // ends.
  void renew() {
    if (stamps() == seen) return;
    try {
      read(now());
      log(LogLevel::info, "client certificate renewed", {{"subject", facts.subject}});
    } catch (const Error& error) {
      log(LogLevel::warn, "client certificate changed and cannot be used, keeping the one before",
          {{"error", error.message()}});
    }
  }
};

const ClientCertificate* certificate_for(const ConnectionOptions& options, const Url& url) {
  if (options.certificate_origin != url.origin()) return nullptr;
  return options.client_certificate.get();
}

std::shared_ptr<const ClientCertificate> ClientCertificate::load(
    const ClientCertificateFiles& files, sys_seconds now) {
  auto impl = std::make_unique<Impl>(files);
  impl->read(now);
  return std::shared_ptr<const ClientCertificate>(new ClientCertificate(std::move(impl)));
}

ClientCertificate::ClientCertificate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClientCertificate::~ClientCertificate() = default;

const CertificateFacts& ClientCertificate::facts() const {
  return impl_->facts;
}

void ClientCertificate::use_in(void* ssl_context) const {
  impl_->renew();
  install(impl_->pair, static_cast<SSL_CTX*>(ssl_context), impl_->files.certificate);
}

}  // namespace mayfly
