// Lists the certificates of all applications, on disk and in the agent.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/system/files.hpp"
#include "sshgen/agent.hpp"
#include "sshgen/certificate.hpp"

namespace mayfly::sshgen {

struct KeptCertificate {
  std::string place;  // host[-path] with "/" as "-", from the file's name or the agent's comment
  enum class Where { disk, agent } where = Where::disk;
  std::string file;                        // "" in the agent
  std::optional<Certificate> certificate;  // nullopt: the files hold no usable one
  std::string objection;                   // why they do not; printable
  bool is_own_key = false;                 // the person's own key, without a private half here
};

// Returns every host[-path] that has a key, public key or certificate file, in order.
std::vector<std::string> places_with_keys(const StateDirectory& state);

// Returns an entry for every certificate file, expired ones included.
std::vector<KeptCertificate> certificates_on_disk(const StateDirectory& state,
                                                  std::chrono::sys_seconds now);

// Returns the certificates that the agent holds under a comment of agent_comment(). Throws what
// Agent::identities() throws.
std::vector<KeptCertificate> certificates_in_agent(Agent& agent);

// Like agent_comment(), for a host[-path] that was read from a file name.
std::string agent_comment_at(std::string_view place);

}  // namespace mayfly::sshgen
