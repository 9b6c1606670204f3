// Makes sure that a valid short-lived certificate and its key are on disk or in the agent.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "access/core/clock.hpp"
#include "access/core/url.hpp"
#include "access/identity/credentials.hpp"
#include "access/system/files.hpp"
#include "sshgen/agent.hpp"
#include "sshgen/certificate.hpp"
#include "sshgen/keypair.hpp"
#include "sshgen/on_disk.hpp"
#include "sshgen/own_key.hpp"

namespace mayfly::sshgen {

// The operations by which a certificate is obtained: credentials, and requests to the signer.
struct Issuer {
  std::function<Grant(const Url&)> obtain;
  std::function<Grant(const Url&, const Grant& refused)> renew;
  Send send;
  // Like Credentials::require_may_send().
  std::function<void(const Url&, const Grant&)> require_may_send = [](const Url&, const Grant&) {};
  // Like Credentials::store().
  std::function<void(const Url&, const Application&, const std::function<void()>& action)> store =
      [](const Url&, const Application&, const std::function<void()>& action) { action(); };
};
// Returns an Issuer that refers to `credentials`, which must outlive it.
inline Issuer issuer_from(const Credentials& credentials, Send send) {
  return {[&credentials](const Url& url) { return credentials.obtain_token(url); },
          [&credentials](const Url& url, const Grant& refused) {
            return credentials.renew(url, refused);
          },
          std::move(send),
          [&credentials](const Url& url, const Grant& grant) {
            credentials.require_may_send(url, grant);
          },
          [&credentials](const Url& url, const Application& application,
                         const std::function<void()>& action) {
            credentials.store(url, application, action);
          }};
}

// Returns whether the certificate is for a key of this type; nullopt means any type.
bool is_of_type(const Certificate& certificate, std::optional<KeyType> type);

// Returns whether a usable certificate lasts for `renew_before` at least, or for half of its
// validity if that is shorter: it would else be renewed at each call.
bool is_fresh(const Certificate& certificate, std::chrono::sys_seconds now,
              std::chrono::seconds renew_before);

struct EnsureOptions {
  std::optional<KeyType> key_type;  // nullopt: any type is accepted, and a new key is ECDSA
  enum class Renew { when_needed, always } renew = Renew::when_needed;
  // A certificate that ends within this time is renewed; see is_fresh().
  std::chrono::seconds renew_before{};
  Confirmation confirmation = Confirmation::none;  // in the agent
  std::function<std::chrono::sys_seconds()> clock = now;
};

// Returns the valid certificate on disk, or obtains a new one for a new key pair and stores both.
// The lock "<key file>.lock" makes processes that ask at the same time share one signature. A token
// that the signer rejects is renewed once. Throws what Issuer::obtain and request_certificate()
// throw, Error(failed) if no Access application is there, and NoCertificates if it issues no token.
Certificate ensure_certificate(const StateDirectory& state, const Url& url, const Issuer& issuer,
                               const EnsureOptions& options = {});

// Like ensure_certificate(), for a key of the person's own: asks for a certificate of this key, and
// stores it beside a copy of the key. EnsureOptions::key_type does not count.
Certificate ensure_own(const StateDirectory& state, const Url& url, const Issuer& issuer,
                       const OwnKey& key, const EnsureOptions& options = {});

// An agent, and the directory that has the lock.
struct AgentPlace {
  const StateDirectory& state;
  Agent& agent;
};
// Returns the usable certificate that the agent holds under agent_comment(url), without any network
// access. Removes other certificates under that comment, which a killed renewal may have left,
// unless another process holds the lock for a renewal.
std::optional<Certificate> valid_in_agent(const AgentPlace& place, const Url& url,
                                          std::chrono::sys_seconds now);
// Like ensure_certificate(), but keeps key and certificate in the agent, under agent_comment(url),
// until the certificate expires, and removes the application's earlier ones. On disk are only the
// lock and a copy of the certificate (KeyFiles::agent_certificate).
Certificate ensure_in_agent(const AgentPlace& place, const Url& url, const Issuer& issuer,
                            const EnsureOptions& options = {});

}  // namespace mayfly::sshgen
