// A client of ssh-agent (draft-miller-ssh-agent) that lists, adds and removes keys.
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

// Whether the agent asks the person each time that the key is used, as after `ssh-add -c`.
enum class Confirmation { none, each_use };

struct AgentAddition {
  const KeyPair& pair;
  const Certificate& certificate;
  std::string comment;
  std::chrono::seconds lifetime;  // after it the agent drops the key; at least 1 s
  Confirmation confirmation = Confirmation::none;
};

// A connection to an agent. Every operation throws Error(failed) when the agent does not answer in
// time, closes the connection or violates the protocol; add() also when the agent refuses the key.
class Agent {
 public:
  // Connects to the socket that SSH_AUTH_SOCK names. Throws Error(failed) with a hint if it cannot,
  // also for an empty path.
  static Agent connect(std::string_view socket_path,
                       std::chrono::milliseconds patience = std::chrono::seconds(10));

  std::vector<AgentIdentity> identities();
  // Adds the certificate with its private key. Unlike ssh-add, it does not add the key without the
  // certificate as well.
  void add(const AgentAddition& addition);
  // Returns whether the agent removed the key.
  bool remove(std::string_view blob);
  struct Held {
    // Of the certificates that are usable now (Certificate::usable_at), the last to expire.
    std::optional<Certificate> valid;
    std::size_t all = 0;  // how many keys there are, usable or not
  };
  // Returns which keys the agent holds under this comment.
  Held held(std::string_view comment, std::chrono::sys_seconds now);
  // Returns held().valid.
  std::optional<Certificate> find_valid(std::string_view comment, std::chrono::sys_seconds now);
  // Like find_valid(), and removes all other keys under this comment if it finds a certificate. The
  // caller must hold the application's lock.
  std::optional<Certificate> keep_valid(std::string_view comment, std::chrono::sys_seconds now);
  // Removes every key under this comment except `keep`. Returns how many were removed.
  std::size_t remove_all(std::string_view comment, std::string_view keep = {});

 private:
  Agent(Descriptor socket, std::chrono::milliseconds patience)
      : socket_(std::move(socket)), patience_(patience) {}
  // Sends a message and returns the reply without its length field; the reply is never empty.
  std::string ask(std::string_view message);

  Descriptor socket_;
  std::chrono::milliseconds patience_;
};

// Returns "mayfly:<host[-path]>", the comment under which the agent keeps this application's
// certificate.
std::string agent_comment(const Url& url);

}  // namespace mayfly::sshgen
