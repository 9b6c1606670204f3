// The short-lived certificate of an application, for the commands that make sure of it.
#pragma once

#include <optional>
#include <string>

#include "access/core/url.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/session/session.hpp"
#include "sshgen/certificate.hpp"

namespace mayfly::cli {

struct CertificateFlags {
  bool force = false, agent = false;
  std::string key_type;
};

// Binds --agent and --key-type.
void bind_certificate(Parser& parser, CertificateFlags& flags);

enum class Tidying { allowed, never };
// Returns the valid certificate of the type that the flags want, on disk or in the agent. Uses no
// network. allowed: removes what killed renewals have left.
std::optional<sshgen::Certificate> valid_certificate(const Url& url, const CertificateFlags& flags,
                                                     Tidying tidying);

// Returns a valid certificate, which it renews if necessary. Throws as
// sshgen::ensure_certificate().
sshgen::Certificate ensure_certificate(Session& session, const Url& url,
                                       const CertificateFlags& flags);

}  // namespace mayfly::cli
