// Judges whether sshd would let the holder of a short-lived certificate in as a Unix user.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sshconfig/sshd_account.hpp"
#include "sshconfig/sshd_query.hpp"

namespace mayfly::sshconfig {

// The file of TrustedUserCAKeys.
struct TrustedKeys {
  std::vector<std::string> types = {};  // "ecdsa-sha2-nistp256"; one for each key
  std::string problem = {};             // why it holds no key of a CA; "" if it does
};

struct EntryFacts {
  std::string user;            // "": no user is named, and nothing is known of an account
  std::string principal;       // of the certificate; "": none is named
  SshdSettings settings = {};  // for this user
  std::optional<Account> account = {};
  TrustedKeys trusted_keys = {};
  std::optional<PrincipalsFile> principals = {};  // nullopt if sshd reads none
  bool logins_are_off = false;                    // by /etc/nologin
  std::optional<bool> is_clock_synchronised = {};
};

struct EntryCheck {
  std::string_view name;
  enum class State { ok, warning, failed, skipped } state = State::ok;
  std::string detail;  // one line, fit to be shown
  std::string hint = {};
};

// Returns a check for each condition, in the order in which sshd meets them.
std::vector<EntryCheck> judge_entry(const EntryFacts& facts);

struct EntryQuestion {
  std::string user, principal;  // each may be ""
  Sshd sshd;
  // Returns the types of the keys in a text; `source` names it in the Error that it throws.
  std::function<std::vector<std::string>(std::string_view text, std::string_view source)> key_types;
};
// Asks sshd and the system. Throws Error(failed) if sshd does not say its settings.
EntryFacts entry_facts(const EntryQuestion& question);

// Returns the principal of the certificates of a person: the part of the email address before the @
// (docs/protocol.md section 3). Throws Error(usage) for a text that is no email address.
std::string principal_of_email(std::string_view email);

}  // namespace mayfly::sshconfig
