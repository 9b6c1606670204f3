#include "sshgen/ensure.hpp"

#include <fmt/core.h>

#include "access/answer/refusal.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/lock.hpp"
#include "sshgen/sign.hpp"

namespace mayfly::sshgen {
namespace {

// The disk or the agent as a place for a certificate.
struct Place {
  const StateDirectory& state;  // for the lock
  std::function<std::optional<Certificate>()> find_valid;
  std::function<void(const KeyPair&, const Signed&)> keep;
};

Grant with_token(const Url& url, Grant grant) {
  const auto name = printable(url.text());
  if (!grant.application) throw no_application(url, grant.answered);
  if (!grant.token && grant.guard == Grant::Guard::nobody)
    throw NoCertificates(
        ErrorKind::failed,
        fmt::format("no certificate for {}: a policy of Access bypasses the login there", name),
        "use an SSH key of your own, or ask the administrator for a policy that knows who you "
        "are");
  if (!grant.token && grant.has_service_token)
    throw NoCertificates(
        ErrorKind::failed,
        fmt::format(
            "no certificate for {}: a service token earns none there, since the organisation "
            "issues no token for it (strict service tokens)",
            name),
        "use an SSH key of your own; the service token still opens the tunnel");
  if (!grant.token)
    throw NoCertificates(
        ErrorKind::failed,
        fmt::format("no certificate for {}: the application gives no token to sign for", name),
        "its session duration is No Duration; use an SSH key of your own");
  return grant;
}

std::optional<Certificate> of_type(std::optional<Certificate> found, const EnsureOptions& options) {
  return found && is_of_type(*found, options.key_type) ? std::move(found) : std::nullopt;
}

// Holds the lock during the signature but not during a login: a process that must not start a login
// fails at once instead of waiting.
Certificate sign_under_lock(const Place& place, const Url& url, const Issuer& issuer,
                            const EnsureOptions& options, const Grant& grant) {
  std::optional<Certificate> found;
  const auto satisfied = [&] {
    issuer.require_may_send(url, grant);
    if (options.renew == EnsureOptions::Renew::when_needed) found = place.find_valid();
    return found.has_value();
  };
  const LockWait wait{.satisfied = satisfied, .work = LockWait::Work::certificate};
  const auto lock = wait_for_login_lock(place.state, key_file_name(url), wait);
  // Another process may have stored a certificate just before this one got the lock.
  if (satisfied()) return *std::move(found);
  const auto pair = generate_key_pair(options.key_type.value_or(KeyType::ecdsa));
  const Subject subject{*grant.application, *grant.token,
                        [&] { issuer.require_may_send(url, grant); }};
  auto made = request_certificate(issuer.send, subject, pair.public_line(), options.clock());
  issuer.store(url, *grant.application, [&] { place.keep(pair, made); });
  return std::move(made.certificate);
}

Certificate ensure(const Place& place, const Url& url, const Issuer& issuer,
                   const EnsureOptions& options) {
  if (options.renew == EnsureOptions::Renew::when_needed)
    if (auto certificate = place.find_valid()) return *std::move(certificate);
  const auto grant = with_token(url, issuer.obtain(url));
  try {
    return sign_under_lock(place, url, issuer, options, grant);
  } catch (const TokenRejected&) {
    // The renewal below may ask a person to log in, which does not belong into a handler.
  }
  return sign_under_lock(place, url, issuer, options, with_token(url, issuer.renew(url, grant)));
}

}  // namespace

bool is_of_type(const Certificate& certificate, std::optional<KeyType> type) {
  if (!type) return true;
  const auto* begin = *type == KeyType::ed25519 ? "ssh-ed25519-cert-" : "ecdsa-sha2-nistp256-cert-";
  return certificate.type.starts_with(begin);
}

Certificate ensure_certificate(const StateDirectory& state, const Url& url, const Issuer& issuer,
                               const EnsureOptions& options) {
  const Place disk{
      state, [&] { return of_type(valid_on_disk(state, url, options.clock()), options); },
      [&](const KeyPair& pair, const Signed& made) { write_to_disk(state, url, pair, made); }};
  return ensure(disk, url, issuer, options);
}

std::optional<Certificate> valid_in_agent(const AgentPlace& place, const Url& url,
                                          std::chrono::sys_seconds now) {
  const auto comment = agent_comment(url);
  auto held = place.agent.held(comment, now);
  try {
    if (held.valid) write_agent_certificate(place.state, url, *held.valid);
    if (!held.valid || held.all == 1) return std::move(held.valid);
    const LockWait at_once{.timeout = {}, .work = LockWait::Work::certificate};
    const auto lock = wait_for_login_lock(place.state, key_file_name(url), at_once);
    return place.agent.keep_valid(comment, now);
  } catch (const Error&) {
    // The certificate can be used all the same. The holder of the lock removes the others, or the
    // next run does.
    return std::move(held.valid);
  }
}

Certificate ensure_in_agent(const AgentPlace& place, const Url& url, const Issuer& issuer,
                            const EnsureOptions& options) {
  const auto comment = agent_comment(url);
  auto& agent = place.agent;
  const auto keep = [&](const KeyPair& pair, const Signed& made) {
    const auto& certificate = made.certificate;
    agent.add({pair, certificate, comment, certificate.remaining_at(options.clock())});
    agent.remove_all(comment, certificate.blob);
    write_agent_certificate(place.state, url, certificate);
  };
  const auto find = [&] { return of_type(agent.find_valid(comment, options.clock()), options); };
  return ensure({place.state, find, keep}, url, issuer, options);
}

}  // namespace mayfly::sshgen
