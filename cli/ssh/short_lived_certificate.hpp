// The short-lived certificate of an application, for the commands that make sure of it.
#pragma once

#include <optional>
#include <string>

#include "access/core/url.hpp"
#include "cli/flags/arguments.hpp"
#include "cli/session/session.hpp"
#include "sshconfig/render.hpp"
#include "sshgen/certificate.hpp"

namespace mayfly::cli {

struct CertificateFlags {
  bool force = false, agent = false, agent_confirm = false;
  std::string renew_before;  // a duration; "" for none
  std::string key_type;
  std::string public_key;  // the file of a key of the person's own
};

// Binds --agent, --agent-confirm, --key-type and --public-key.
void bind_certificate(Parser& parser, CertificateFlags& flags);

// Throws usage Error for --oauth, whose token no signer takes.
void refuse_oauth(const NetworkFlags& flags);

// Returns whether key and certificate are kept in the agent.
bool is_in_agent(const CertificateFlags& flags);

// Returns the paths by which a block names the key of --public-key.
sshconfig::BlockOptions::OwnKey own_key_in_block(const std::string& public_key);

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
