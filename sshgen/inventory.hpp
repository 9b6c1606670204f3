// The certificates that are kept for any application, on disk and in the agent.
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
  std::optional<Certificate> certificate;  // nothing: there is none that can be used
  std::string objection;                   // why not; fit to be shown
};

// Every host[-path] of which a key, public key or certificate file is there; in order.
std::vector<std::string> places_with_keys(const StateDirectory& state);

// Those of which there is a certificate file, also when it has ended.
std::vector<KeptCertificate> certificates_on_disk(const StateDirectory& state,
                                                  std::chrono::sys_seconds now);

// Those that were put there under agent_comment(). Throws what Agent::identities throws.
std::vector<KeptCertificate> certificates_in_agent(Agent& agent);

// agent_comment() for a host[-path] that was taken from a file name.
std::string agent_comment_at(std::string_view place);

}  // namespace mayfly::sshgen
