#include "sshgen/inventory.hpp"

#include <fmt/core.h>

#include <set>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "sshgen/on_disk.hpp"
#include "sshgen/own_key.hpp"

namespace mayfly::sshgen {
namespace {

constexpr std::string_view comment_prefix = "mayfly:";

bool is_of_key(const StateName& name) {
  return name.kind == StateFile::own_public_key || name.kind == StateFile::own_certificate ||
         name.kind == StateFile::private_key || name.kind == StateFile::public_key ||
         name.kind == StateFile::certificate || name.kind == StateFile::agent_certificate;
}

enum class KeyKind { made, own };

void add_judged(std::vector<KeptCertificate>& all, const StateDirectory& state,
                const std::string& place, KeyKind kind, OnDisk found) {
  if (found.state == OnDisk::State::absent) return;
  const KeyFiles names = key_files_at(place);
  const bool is_own = kind == KeyKind::own;
  KeptCertificate kept{place,
                       KeptCertificate::Where::disk,
                       is_own ? names.own_certificate : names.certificate,
                       std::move(found.certificate),
                       "",
                       is_own};
  if (!kept.certificate)
    kept.objection = fmt::format("{} is not a certificate for the key beside it",
                                 printable(state.path_of(kept.file)));
  all.push_back(std::move(kept));
}

}  // namespace

std::vector<std::string> places_with_keys(const StateDirectory& state) {
  std::set<std::string> places;
  for (const std::string& name : state.list())
    if (const auto found = recognise(name); found && is_of_key(*found)) places.emplace(found->stem);
  return {places.begin(), places.end()};
}

std::vector<KeptCertificate> certificates_on_disk(const StateDirectory& state,
                                                  std::chrono::sys_seconds now) {
  std::vector<KeptCertificate> kept;
  for (const std::string& place : places_with_keys(state)) {
    try {
      const KeyFiles names = key_files_at(place);
      add_judged(kept, state, place, KeyKind::made, look_on_disk(state, names, now));
      add_judged(kept, state, place, KeyKind::own, look_at_own(state, names, now));
    } catch (const Error&) {
      // ssh-gen makes no file whose name key_files_at() refuses.
    }
  }
  return kept;
}

std::vector<KeptCertificate> certificates_in_agent(Agent& agent) {
  std::vector<KeptCertificate> kept;
  for (const AgentIdentity& identity : agent.identities()) {
    if (!identity.comment.starts_with(comment_prefix)) continue;
    // ssh-add adds the key by itself, too, under the same comment.
    if (auto certificate = parse_certificate_blob(identity.blob))
      kept.push_back({identity.comment.substr(comment_prefix.size()), KeptCertificate::Where::agent,
                      "", std::move(certificate), "", false});
  }
  return kept;
}

std::string agent_comment_at(std::string_view place) {
  return std::string(comment_prefix) + std::string(place);
}

}  // namespace mayfly::sshgen
