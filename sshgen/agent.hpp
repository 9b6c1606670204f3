// Talking to an ssh-agent (draft-miller-ssh-agent): list, add, remove.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/core/url.hpp"
#include "access/system/descriptor.hpp"
#include "sshgen/certificate.hpp"
#include "sshgen/keypair.hpp"

namespace mayfly::sshgen {

struct AgentIdentity {
  std::string blob;
  std::string comment;
};

struct AgentAddition {
  const KeyPair& pair;
  const Certificate& certificate;
  std::string comment;
  std::chrono::seconds lifetime;  // the agent drops it then; at least 1 s
};

// One connection. Every operation throws Error(failed) when the agent does not answer in time,
// hangs up, says what the protocol does not allow, or refuses (add).
class Agent {
 public:
  // socket_path: the value of SSH_AUTH_SOCK; "" is an Error with a hint, too.
  static Agent connect(std::string_view socket_path,
                       std::chrono::milliseconds patience = std::chrono::seconds(10));

  std::vector<AgentIdentity> identities();
  // The certificate with its private key, as ssh-add adds it (the key alone is not added).
  void add(const AgentAddition& addition);
  // False when the agent does not remove it.
  bool remove(std::string_view blob);
  struct Held {
    // The certificate that is usable now (Certificate::usable_at) and lasts longest.
    std::optional<Certificate> valid;
    std::size_t all = 0;  // usable or not
  };
  // What there is under this comment.
  Held held(std::string_view comment, std::chrono::sys_seconds now);
  // Held::valid alone.
  std::optional<Certificate> find_valid(std::string_view comment, std::chrono::sys_seconds now);
  // The same, alone: if there is one, others under this comment are removed. For who holds the
  // lock.
  std::optional<Certificate> keep_valid(std::string_view comment, std::chrono::sys_seconds now);
  // Removes every certificate under this comment but `keep`; how many.
  std::size_t remove_all(std::string_view comment, std::string_view keep = {});

 private:
  Agent(Descriptor socket, std::chrono::milliseconds patience)
      : socket_(std::move(socket)), patience_(patience) {}
  // The reply without its length; never empty.
  std::string ask(std::string_view message);

  Descriptor socket_;
  std::chrono::milliseconds patience_;
};

// "mayfly:<host[-path]>", under which a certificate for this application is kept.
std::string agent_comment(const Url& url);

}  // namespace mayfly::sshgen
