#include "cli/ssh/short_lived_certificate.hpp"

#include <fmt/core.h>

#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/leftovers.hpp"
#include "cli/terminal/environment.hpp"
#include "sshgen/ensure.hpp"
#include "sshgen/own_key.hpp"

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

std::optional<sshgen::Certificate> valid_own(const StateDirectory& state, const Url& url,
                                             const sshgen::OwnKey& key) {
  auto found = sshgen::look_at_own(state, sshgen::key_files(url), key, now());
  return found.state == sshgen::OnDisk::State::valid ? std::move(found.certificate) : std::nullopt;
}

std::chrono::seconds renew_before(const CertificateFlags& flags) {
  if (flags.renew_before.empty()) return {};
  if (const auto duration = parse_duration(flags.renew_before)) return *duration;
  throw Error(ErrorKind::usage,
              fmt::format("--renew-before: {} is no duration", printable(flags.renew_before)),
              "write for example 2m, 90 or 1h30m");
}

sshgen::EnsureOptions ensure_options(const CertificateFlags& flags) {
  sshgen::EnsureOptions options;
  options.renew_before = renew_before(flags);
  if (flags.agent_confirm) options.confirmation = sshgen::Confirmation::each_use;
  options.key_type = key_type(flags);
  if (flags.force) options.renew = sshgen::EnsureOptions::Renew::always;
  return options;
}

}  // namespace

void bind_certificate(Parser& parser, CertificateFlags& flags) {
  const auto agent =
      parser.add_flag("--agent", flags.agent, "keep the key in ssh-agent and not on disk");
  const auto confirm = parser.add_flag("--agent-confirm", flags.agent_confirm,
                                       "as --agent, which asks you at each use");
  const auto type = parser.add_option("--key-type", flags.key_type, "ecdsa (default) or ed25519")
                        .one_of({"ecdsa", "ed25519"});
  parser
      .add_option("--public-key", flags.public_key,
                  "certify this key of yours instead of a new one")
      .type_name("FILE")
      .excludes(agent)
      .excludes(confirm)
      .excludes(type);
}

void refuse_oauth(const NetworkFlags& flags) {
  if (!flags.interaction.oauth) return;
  throw Error(ErrorKind::usage,
              "--oauth cannot be used: a token of Managed OAuth earns no SSH certificate",
              "leave out --oauth");
}

bool is_in_agent(const CertificateFlags& flags) {
  return flags.agent || flags.agent_confirm;
}

sshconfig::BlockOptions::OwnKey own_key_in_block(const std::string& public_key) {
  const std::string path = absolute_path(public_key);
  return {path, sshgen::identity_file_of(path)};
}

std::optional<sshgen::Certificate> valid_certificate(const Url& url, const CertificateFlags& flags,
                                                     Tidying tidying) {
  const std::chrono::seconds ahead = renew_before(flags);
  std::optional<sshgen::OwnKey> own;
  if (!flags.public_key.empty()) own = sshgen::read_own_key(flags.public_key);
  const auto state = StateDirectory::open_existing(state_directory_path());
  if (state && tidying == Tidying::allowed) clear_leftovers(*state);
  std::optional<sshgen::Certificate> found;
  if (own)
    found = state ? valid_own(*state, url, *own) : std::nullopt;
  else if (is_in_agent(flags))
    found = valid_in_agent(url, state, tidying);
  else if (state)
    found = sshgen::valid_on_disk(*state, url, now());
  if (found &&
      (!sshgen::is_of_type(*found, key_type(flags)) || !sshgen::is_fresh(*found, now(), ahead)))
    found.reset();
  return found;
}

sshgen::Certificate ensure_certificate(Session& session, const Url& url,
                                       const CertificateFlags& flags) {
  const sshgen::Issuer issuer = sshgen::issuer_from(session.credentials(), session.send());
  if (!flags.public_key.empty())
    return sshgen::ensure_own(session.state(), url, issuer, sshgen::read_own_key(flags.public_key),
                              ensure_options(flags));
  if (!is_in_agent(flags))
    return sshgen::ensure_certificate(session.state(), url, issuer, ensure_options(flags));
  sshgen::Agent agent = sshgen::Agent::connect(variable("SSH_AUTH_SOCK"));
  return sshgen::ensure_in_agent({session.state(), agent}, url, issuer, ensure_options(flags));
}

}  // namespace mayfly::cli
