#include "sshconfig/sshd_entry.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "access/core/error.hpp"
#include "access/core/text.hpp"

namespace mayfly::sshconfig {
namespace {

using State = EntryCheck::State;
using Words = std::vector<std::string>;

constexpr std::string_view set_up_hint = "run: sudo mayfly sshd-config --ca - --write";

EntryCheck well(std::string_view name, std::string detail) {
  return {name, State::ok, std::move(detail)};
}
EntryCheck failed(std::string_view name, std::string detail, std::string hint) {
  return {name, State::failed, std::move(detail), std::move(hint)};
}

std::string joined(const Words& words) {
  return printable(fmt::format("{}", fmt::join(words, ", ")), 300);
}

bool lists(std::string_view comma_separated, std::string_view word) {
  const auto words = split(comma_separated, ',');
  return std::find(words.begin(), words.end(), word) != words.end();
}

EntryCheck judge_account(const EntryFacts& facts) {
  constexpr std::string_view name = "account";
  const std::string user = printable(facts.user);
  if (facts.user.empty()) return {name, State::skipped, "no user is named: add --user"};
  if (!facts.account)
    return failed(name, fmt::format("there is no account {} on this machine", user),
                  fmt::format("make it, or let the principal enter as another user: sudo mayfly "
                              "sshd-config --ca - --principals USER={} --write",
                              facts.principal.empty() ? "NAME" : printable(facts.principal)));
  const Account& account = *facts.account;
  if (account.is_locked && facts.settings.value("usepam") != "yes")
    return failed(name,
                  fmt::format("{} is locked, and sshd lets a locked account in by PAM only", user),
                  fmt::format("set UsePAM yes, or run: sudo usermod -p '*' {}", user));
  if (account.has_expired)
    return failed(name, user + " has expired", fmt::format("run: sudo chage -E -1 {}", user));
  if (account.shell_state == Account::Shell::absent)
    return failed(name,
                  fmt::format("the shell of {}, {}, is not there or cannot be run", user,
                              printable(account.shell)),
                  fmt::format("run: sudo chsh -s /bin/sh {}", user));
  if (account.shell_state == Account::Shell::ends_logins)
    return failed(
        name, fmt::format("the shell of {}, {}, ends each login", user, printable(account.shell)),
        fmt::format("run: sudo chsh -s /bin/sh {}", user));
  if (facts.logins_are_off && account.uid != 0)
    return failed(name, "/etc/nologin keeps everybody but root out", "remove that file");
  return well(name, fmt::format("{}, with the shell {}", user, printable(account.shell)));
}

// A word of AllowUsers may end in @HOST, which is left to sshd: such a word counts by its user.
bool matches(const std::string& pattern, const std::string& name) {
  const std::string user_part = pattern.substr(0, pattern.rfind('@'));
  return ::fnmatch(user_part.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
}

bool is_listed(const Words& patterns, const Words& names) {
  const auto any = [&](const std::string& pattern) {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return matches(pattern, name); });
  };
  if (std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
        return pattern.starts_with('!') && any(pattern.substr(1));
      }))
    return false;
  return std::any_of(patterns.begin(), patterns.end(), any);
}

EntryCheck judge_lists(const EntryFacts& facts) {
  constexpr std::string_view name = "allowed_users";
  if (!facts.account) return {name, State::skipped, "there is no account to look for"};
  const Account& account = *facts.account;
  const auto& settings = facts.settings;
  const std::string user = printable(account.user);
  const std::string root = settings.value("permitrootlogin");
  if (account.uid == 0 && !is_among(root, {"yes", "prohibit-password", "without-password"}))
    return failed(name, fmt::format("sshd has PermitRootLogin {}", printable(root)),
                  "enter as another user, or set PermitRootLogin prohibit-password");
  const struct {
    const char *keyword, *shown;
    bool allows;
    Words names;
  } rules[] = {{"denyusers", "DenyUsers", false, {account.user}},
               {"allowusers", "AllowUsers", true, {account.user}},
               {"denygroups", "DenyGroups", false, account.groups},
               {"allowgroups", "AllowGroups", true, account.groups}};
  for (const auto& rule : rules) {
    const Words& patterns = settings.values(rule.keyword);
    if (!patterns.empty() && is_listed(patterns, rule.names) != rule.allows)
      return failed(name, fmt::format("{} {} keeps {} out", rule.shown, joined(patterns), user),
                    fmt::format("change {} in sshd's configuration", rule.shown));
  }
  return well(name, user + " may enter");
}

EntryCheck judge_public_keys(const EntryFacts& facts) {
  constexpr std::string_view name = "public_keys";
  if (facts.settings.value("pubkeyauthentication") != "yes")
    return failed(name, "sshd has PubkeyAuthentication no", "set PubkeyAuthentication yes");
  const std::string accepted = facts.settings.value("pubkeyacceptedalgorithms");
  // The types of keys that mayfly makes; ECDSA by default.
  if (!accepted.empty() && !lists(accepted, "ecdsa-sha2-nistp256-cert-v01@openssh.com")) {
    const bool takes_ed25519 = lists(accepted, "ssh-ed25519-cert-v01@openssh.com");
    return {name, takes_ed25519 ? State::warning : State::failed,
            "PubkeyAcceptedAlgorithms has no ecdsa-sha2-nistp256-cert-v01@openssh.com",
            takes_ed25519 ? "people need ssh-gen --key-type ed25519, or add that algorithm"
                          : "add that algorithm"};
  }
  return well(name, "sshd accepts certificates");
}

EntryCheck judge_methods(const EntryFacts& facts) {
  constexpr std::string_view name = "methods";
  const std::string methods = facts.settings.value("authenticationmethods");
  if (methods.empty() || methods == "any") return well(name, "a certificate is enough");
  std::string longer;
  for (const std::string_view list : split(methods, ' ')) {
    if (list == "publickey") return well(name, "a certificate is enough");
    if (lists(list, "publickey") && longer.empty()) longer = list;
  }
  const std::string shown = printable(methods, 300);
  if (longer.empty())
    return failed(name, fmt::format("AuthenticationMethods {} admits no key", shown),
                  "add publickey to AuthenticationMethods");
  return {name, State::warning,
          fmt::format("AuthenticationMethods {} wants more than a certificate", shown),
          "people have to pass these methods too; publickey alone would not ask them"};
}

bool is_signature_accepted(const std::string& algorithms, const std::string& type) {
  if (type == "ssh-rsa")
    return lists(algorithms, "rsa-sha2-256") || lists(algorithms, "rsa-sha2-512");
  return lists(algorithms, type);
}

EntryCheck judge_trusted_keys(const EntryFacts& facts) {
  constexpr std::string_view name = "trusted_keys";
  const std::string path = facts.settings.value("trustedusercakeys");
  if (path.empty())
    return failed(name, "sshd trusts no CA here: TrustedUserCAKeys is not set",
                  std::string(set_up_hint));
  if (!facts.trusted_keys.problem.empty())
    return failed(name, facts.trusted_keys.problem,
                  fmt::format("put the signer's public key into {}", printable(path, 4096)));
  const std::string algorithms = facts.settings.value("casignaturealgorithms");
  for (const std::string& type : facts.trusted_keys.types)
    if (algorithms.empty() || is_signature_accepted(algorithms, type))
      return well(
          name, fmt::format("{} with {}", printable(path, 4096), joined(facts.trusted_keys.types)));
  return failed(name,
                fmt::format("CASignatureAlgorithms admits no signature of the keys in {} ({})",
                            printable(path, 4096), joined(facts.trusted_keys.types)),
                "add their algorithm to CASignatureAlgorithms");
}

std::string principals_hint(const EntryFacts& facts) {
  return fmt::format("run: sudo mayfly sshd-config --ca - --principals {}={} --write",
                     printable(facts.user), printable(facts.principal));
}

EntryCheck judge_principals(const EntryFacts& facts) {
  constexpr std::string_view name = "principals";
  if (facts.principal.empty() || facts.user.empty())
    return {name, State::skipped, "no person is named: add --as"};
  const std::string principal = printable(facts.principal), user = printable(facts.user);
  const std::string command = facts.settings.value("authorizedprincipalscommand");
  const auto& file = facts.principals;
  if (!file && command.empty()) {
    if (facts.principal == facts.user)
      return well(name, fmt::format("{} enters as {}", principal, user));
    return failed(name,
                  fmt::format("the certificate is for {}, and sshd lets only {} in as {}",
                              principal, user, user),
                  principals_hint(facts));
  }
  if (file && file->problem.empty() &&
      std::find(file->names.begin(), file->names.end(), facts.principal) != file->names.end())
    return well(name, fmt::format("{} lists {}", printable(file->path, 4096), principal));
  if (!command.empty())
    return {name, State::warning,
            fmt::format("AuthorizedPrincipalsCommand {} decides about {}", printable(command, 300),
                        principal),
            "run that command to see whether it prints the name"};
  if (!file->problem.empty())
    return failed(
        name, fmt::format("sshd does not read the principals: {}", printable(file->problem, 4096)),
        "a file of principals belongs to root, has mode 0644, and lies in folders of root "
        "with mode 0755");
  return failed(name, fmt::format("{} does not list {}", printable(file->path, 4096), principal),
                fmt::format("add a line {} to it", principal));
}

EntryCheck judge_clock(const EntryFacts& facts) {
  constexpr std::string_view name = "clock";
  if (!facts.is_clock_synchronised)
    return {name, State::skipped, "the system does not say whether it is right"};
  if (*facts.is_clock_synchronised) return well(name, "a time service keeps it right");
  return {name, State::warning,
          "no time service keeps it right, and certificates are valid for minutes",
          "compare `date -u` with another machine, or run: sudo timedatectl set-ntp true"};
}

}  // namespace

std::vector<EntryCheck> judge_entry(const EntryFacts& facts) {
  return {judge_public_keys(facts), judge_methods(facts),      judge_account(facts),
          judge_lists(facts),       judge_trusted_keys(facts), judge_principals(facts),
          judge_clock(facts)};
}

std::string principal_of_email(std::string_view email) {
  const auto at = email.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == email.size()) {
    throw Error(ErrorKind::usage, fmt::format("{} is not an email address", printable(email)),
                "give the address that the person logs in with: --as jdoe@example.com");
  }
  return std::string(email.substr(0, at));
}

}  // namespace mayfly::sshconfig
