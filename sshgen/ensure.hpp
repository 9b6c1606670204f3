// Making sure that there is a valid short-lived certificate with its key, on disk or in the agent.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "access/core/url.hpp"
#include "access/identity/credentials.hpp"
#include "access/system/files.hpp"
#include "sshgen/agent.hpp"
#include "sshgen/certificate.hpp"
#include "sshgen/keypair.hpp"
#include "sshgen/on_disk.hpp"

namespace mayfly::sshgen {

// Where certificates come from: who we are, and the way to the signer.
struct Issuer {
  std::function<Grant(const Url&)> obtain;
  std::function<Grant(const Url&, const Grant& refused)> renew;
  Send send;
  // As Credentials::may_send(), for the grant's token.
  std::function<bool(const Url&, const Grant&)> may_send = [](const Url&, const Grant&) {
    return true;
  };
  // As Credentials::store().
  std::function<void(const Url&, const Application&, const std::function<void()>& action)> store =
      [](const Url&, const Application&, const std::function<void()>& action) { action(); };
};
// The credentials must outlive it.
inline Issuer issuer_from(const Credentials& credentials, Send send) {
  return {[&credentials](const Url& url) { return credentials.obtain(url); },
          [&credentials](const Url& url, const Grant& refused) {
            return credentials.renew(url, refused);
          },
          std::move(send),
          [&credentials](const Url& url, const Grant& grant) {
            return credentials.may_send(url, grant.application, grant.token->jwt.reveal());
          },
          [&credentials](const Url& url, const Application& application,
                         const std::function<void()>& action) {
            credentials.store(url, application, action);
          }};
}

// Nothing stands for any type.
bool is_of_type(const Certificate& certificate, std::optional<KeyType> type);

struct EnsureOptions {
  std::optional<KeyType> key_type;  // nothing: any valid one will do, and a new one is ECDSA
  enum class Renew { when_needed, always } renew = Renew::when_needed;
  std::function<std::chrono::sys_seconds()> clock = [] {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  };
};

// Makes it so on disk: one signature however many processes ask at once (lock "<key file>.lock"), a
// new key pair for each certificate, and the certificate's file replaced last. A token the signer
// rejects is renewed once. Throws what obtain and request_certificate throw, and Error(failed) when
// nobody guards the application or it gives no token.
Certificate ensure_certificate(const StateDirectory& state, const Url& url, const Issuer& issuer,
                               const EnsureOptions& options = {});

// An agent, and the directory for the lock.
struct AgentPlace {
  const StateDirectory& state;
  Agent& agent;
};
// The certificate that the agent holds under agent_comment(url), usable now, without asking anybody
// else. Others beside it, as a renewal that was killed leaves them, are removed, unless a renewal
// is under way: its lock is tried.
std::optional<Certificate> valid_in_agent(const AgentPlace& place, const Url& url,
                                          std::chrono::sys_seconds now);
// The same in the agent, under agent_comment(url), for as long as the certificate is valid; earlier
// ones for the application are removed. Nothing but the lock is on disk.
Certificate ensure_in_agent(const AgentPlace& place, const Url& url, const Issuer& issuer,
                            const EnsureOptions& options = {});

}  // namespace mayfly::sshgen
