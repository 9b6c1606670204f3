#include "sshgen/inventory.hpp"

#include <fmt/core.h>

#include <set>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "sshgen/on_disk.hpp"

namespace mayfly::sshgen {
namespace {

constexpr std::string_view comment_prefix = "mayfly:";

bool is_of_key(const StateName& name) {
  return name.kind == StateFile::private_key || name.kind == StateFile::public_key ||
         name.kind == StateFile::certificate || name.kind == StateFile::agent_certificate;
}

KeptCertificate judged(const StateDirectory& state, const std::string& place, const KeyFiles& names,
                       OnDisk found) {
  KeptCertificate kept{place, KeptCertificate::Where::disk, names.certificate,
                       std::move(found.certificate), ""};
  if (!kept.certificate)
    kept.objection = fmt::format("{} is not a certificate for the key beside it",
                                 printable(state.path_of(names.certificate)));
  return kept;
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
      OnDisk found = look_on_disk(state, names, now);
      if (found.state == OnDisk::State::absent) continue;
      kept.push_back(judged(state, place, names, std::move(found)));
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
                      "", std::move(certificate), ""});
  }
  return kept;
}

std::string agent_comment_at(std::string_view place) {
  return std::string(comment_prefix) + std::string(place);
}

}  // namespace mayfly::sshgen
