// What sshd looks at when somebody wants to enter as a Unix user: the account, and its file of
// principals.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace mayfly::sshconfig {

struct Account {
  std::string user, home, shell;
  uid_t uid = 0;
  std::vector<gid_t> group_ids = {};
  std::vector<std::string> groups = {};
  enum class Shell { runs, absent, ends_logins } shell_state = Shell::runs;
  bool is_locked = false;    // no password opens it
  bool has_expired = false;  // the account itself
};
// Returns nullopt if there is no such account.
std::optional<Account> find_account(const std::string& user);

struct PrincipalsFile {
  std::string path;
  std::vector<std::string> names = {};
  std::string problem = {};  // why sshd does not read it; "" if it does
};
enum class StrictModes { no, yes };
// Reads a file of principals as sshd would for this account. `path` is a value of
// AuthorizedPrincipalsFile with tokens (sshd_config(5), TOKENS).
PrincipalsFile read_principals(const std::string& path, const Account& account, StrictModes strict);

// Returns the names in the text of a file of principals (sshd(8)), without their options.
std::vector<std::string> parse_principal_lines(std::string_view text);

}  // namespace mayfly::sshconfig
