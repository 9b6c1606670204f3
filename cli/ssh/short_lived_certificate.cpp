#include "cli/ssh/short_lived_certificate.hpp"

#include "access/core/clock.hpp"
#include "access/system/leftovers.hpp"
#include "cli/terminal/environment.hpp"
#include "sshgen/ensure.hpp"

namespace mayfly::cli {
namespace {

std::optional<sshgen::KeyType> key_type(const CertificateFlags& flags) {
  if (flags.key_type.empty()) return std::nullopt;
  return flags.key_type == "ed25519" ? sshgen::KeyType::ed25519 : sshgen::KeyType::ecdsa;
}

std::optional<sshgen::Certificate> valid_in_agent(const Url& url,
                                                  const std::optional<StateDirectory>& state,
                                                  Tidying tidying) {
  auto agent = sshgen::Agent::connect(variable("SSH_AUTH_SOCK"));
  if (state && tidying == Tidying::allowed)
    return sshgen::valid_in_agent({*state, agent}, url, now());
  return agent.find_valid(sshgen::agent_comment(url), now());
}

sshgen::EnsureOptions ensure_options(const CertificateFlags& flags) {
  sshgen::EnsureOptions options;
  options.key_type = key_type(flags);
  if (flags.force) options.renew = sshgen::EnsureOptions::Renew::always;
  return options;
}

}  // namespace

void bind_certificate(Parser& parser, CertificateFlags& flags) {
  parser.add_flag("--agent", flags.agent, "keep the key in ssh-agent and not on disk");
  parser.add_option("--key-type", flags.key_type, "ecdsa (default) or ed25519")
      .one_of({"ecdsa", "ed25519"});
}

std::optional<sshgen::Certificate> valid_certificate(const Url& url, const CertificateFlags& flags,
                                                     Tidying tidying) {
  const auto state = StateDirectory::open_existing(state_directory_path());
  if (state && tidying == Tidying::allowed) clear_leftovers(*state);
  std::optional<sshgen::Certificate> found;
  if (flags.agent)
    found = valid_in_agent(url, state, tidying);
  else if (state)
    found = sshgen::valid_on_disk(*state, url, now());
  if (found && !sshgen::is_of_type(*found, key_type(flags))) found.reset();
  return found;
}

sshgen::Certificate ensure_certificate(Session& session, const Url& url,
                                       const CertificateFlags& flags) {
  const sshgen::Issuer issuer = sshgen::issuer_from(session.credentials(), session.send());
  if (!flags.agent)
    return sshgen::ensure_certificate(session.state(), url, issuer, ensure_options(flags));
  sshgen::Agent agent = sshgen::Agent::connect(variable("SSH_AUTH_SOCK"));
  return sshgen::ensure_in_agent({session.state(), agent}, url, issuer, ensure_options(flags));
}

}  // namespace mayfly::cli
