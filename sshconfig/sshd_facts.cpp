// Collects the facts for sshd_entry.hpp.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/platform.hpp"
#include "sshconfig/sshd_entry.hpp"

namespace mayfly::sshconfig {
namespace {

constexpr std::size_t most_bytes = 1 << 20;

TrustedKeys trusted_keys(const std::string& path, const EntryQuestion& question) {
  TrustedKeys keys;
  if (path.empty()) return keys;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  std::string text(most_bytes, '\0');
  const std::ptrdiff_t got = file ? read_all(file.get(), text) : -1;
  if (got < 0) {
    keys.problem = fmt::format("cannot read {}: {}", printable(path, 4096), std::strerror(errno));
    return keys;
  }
  text.resize(static_cast<std::size_t>(got));
  try {
    keys.types = question.key_types(text, printable(path, 4096));
  } catch (const Error& error) {
    keys.problem = error.message();
  }
  return keys;
}

}  // namespace

EntryFacts entry_facts(const EntryQuestion& question) {
  EntryFacts facts{question.user, question.principal, ask_sshd(question.sshd, question.user)};
  if (!question.user.empty()) facts.account = find_account(question.user);
  facts.trusted_keys = trusted_keys(facts.settings.value("trustedusercakeys"), question);
  const std::string principals = facts.settings.value("authorizedprincipalsfile");
  if (!principals.empty() && facts.account)
    facts.principals = read_principals(
        principals, *facts.account,
        facts.settings.value("strictmodes") == "no" ? StrictModes::no : StrictModes::yes);
  facts.logins_are_off = ::access("/etc/nologin", F_OK) == 0;
  facts.is_clock_synchronised = is_clock_synchronised();
  return facts;
}

}  // namespace mayfly::sshconfig
