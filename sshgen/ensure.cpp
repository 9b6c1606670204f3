#include "sshgen/ensure.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "access/answer/refusal.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/lock.hpp"
#include "sshgen/public_key.hpp"
#include "sshgen/sign.hpp"

namespace mayfly::sshgen {
namespace {

// The disk or the agent as a place for a certificate.
struct Place {
  const StateDirectory& state;  // for the lock
  std::function<std::optional<Certificate>()> find_valid;
  // A key to be certified: its public line, and what stores the certificate for it.
  struct Candidate {
    std::string public_line;
    std::function<void(const Signed&)> keep;
  };
  std::function<Candidate()> make_key;
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

// Returns the certificate if the options accept it.
std::optional<Certificate> accepted(std::optional<Certificate> found,
                                    const EnsureOptions& options) {
  if (!found || !is_of_type(*found, options.key_type) ||
      !is_fresh(*found, options.clock(), options.renew_before))
    return std::nullopt;
  return found;
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
  const Place::Candidate key = place.make_key();
  const Subject subject{*grant.application, *grant.token,
                        [&] { issuer.require_may_send(url, grant); }};
  auto made = request_certificate(issuer.send, subject, key.public_line, options.clock());
  issuer.store(url, *grant.application, [&] { key.keep(made); });
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

using Keep = std::function<void(const KeyPair&, const Signed&)>;

// Returns what makes a new key pair for each request, and stores it with its certificate.
std::function<Place::Candidate()> new_pairs(const EnsureOptions& options, const Keep& keep) {
  return [type = options.key_type.value_or(KeyType::ecdsa), keep] {
    const auto pair = std::make_shared<const KeyPair>(generate_key_pair(type));
    return Place::Candidate{pair->public_line(),
                            [pair, keep](const Signed& made) { keep(*pair, made); }};
  };
}

// The signer's own words do not say that it is the type of the key that it refuses.
Error with_type_explained(const Error& error, const OwnKey& key) {
  return {error.kind(), error.message(),
          fmt::format("Access signs ECDSA, Ed25519 and RSA keys, and this one is of the type {}; "
                      "give --public-key a key of those types, or leave it out",
                      printable(key.type, 100))};
}

}  // namespace

bool is_fresh(const Certificate& certificate, std::chrono::sys_seconds now,
              std::chrono::seconds renew_before) {
  const std::uint64_t half = (certificate.valid_before - certificate.valid_after) / 2;
  const auto wanted = static_cast<std::uint64_t>(renew_before.count());
  const auto left = static_cast<std::uint64_t>(certificate.remaining_at(now).count());
  return left >= std::min(wanted, half);
}

bool is_of_type(const Certificate& certificate, std::optional<KeyType> type) {
  if (!type) return true;
  const auto* begin = *type == KeyType::ed25519 ? "ssh-ed25519-cert-" : "ecdsa-sha2-nistp256-cert-";
  return certificate.type.starts_with(begin);
}

Certificate ensure_certificate(const StateDirectory& state, const Url& url, const Issuer& issuer,
                               const EnsureOptions& options) {
  const Place disk{state,
                   [&] { return accepted(valid_on_disk(state, url, options.clock()), options); },
                   new_pairs(options, [&](const KeyPair& pair, const Signed& made) {
                     write_to_disk(state, url, pair, made);
                   })};
  return ensure(disk, url, issuer, options);
}

Certificate ensure_own(const StateDirectory& state, const Url& url, const Issuer& issuer,
                       const OwnKey& key, const EnsureOptions& options) {
  const auto find = [&]() -> std::optional<Certificate> {
    OnDisk found = look_at_own(state, key_files(url), key, options.clock());
    if (found.state != OnDisk::State::valid) return std::nullopt;
    EnsureOptions any_type = options;
    any_type.key_type.reset();
    return accepted(std::move(found.certificate), any_type);
  };
  const auto keep = [&](const Signed& made) { write_own(state, url, key, made); };
  try {
    return ensure({state, find,
                   [&] {
                     return Place::Candidate{key.line, keep};
                   }},
                  url, issuer, options);
  } catch (const NoCertificates&) {
    throw;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::refused || is_known_type(key.type)) throw;
    throw with_type_explained(error, key);
  }
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
    agent.add({pair, certificate, comment, certificate.remaining_at(options.clock()),
               options.confirmation});
    agent.remove_all(comment, certificate.blob);
    write_agent_certificate(place.state, url, certificate);
  };
  const auto find = [&] { return accepted(agent.find_valid(comment, options.clock()), options); };
  return ensure({place.state, find, new_pairs(options, keep)}, url, issuer, options);
}

}  // namespace mayfly::sshgen
