#include "sshconfig/sshd_account.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "access/core/clock.hpp"
#include "access/core/text.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/platform.hpp"
#include "sshconfig/percent_tokens.hpp"

namespace mayfly::sshconfig {
namespace {

constexpr std::size_t most_bytes = 1 << 20;
constexpr long seconds_of_a_day = 86400;

Account::Shell shell_state(const std::string& shell) {
  if (::access(shell.c_str(), X_OK) != 0) return Account::Shell::absent;
  const std::string name = shell.substr(shell.rfind('/') + 1);
  return is_among(name, {"nologin", "false"}) ? Account::Shell::ends_logins : Account::Shell::runs;
}

void add_groups(Account& account, gid_t primary) {
  int count = 256;
  account.group_ids.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(account.user.c_str(), primary, account.group_ids.data(), &count) < 0)
    count = 0;
  account.group_ids.resize(static_cast<std::size_t>(count));
  for (const gid_t id : account.group_ids)
    if (const group* entry = ::getgrgid(id); entry != nullptr)
      account.groups.emplace_back(entry->gr_name);
}

std::string expanded(std::string_view path, const Account& account) {
  const std::string result = with_tokens(
      path, {{'h', account.home}, {'u', account.user}, {'U', std::to_string(account.uid)}});
  return result.starts_with('/') ? result : account.home + "/" + result;
}

// Returns whether the account has the right that S_IROTH or S_IXOTH names. Root has every right.
bool may(const Account& account, const struct stat& status, mode_t others_bit) {
  if (account.uid == 0) return true;
  if (status.st_uid == account.uid) return (status.st_mode & (others_bit << 6)) != 0;
  const auto& ids = account.group_ids;
  if (std::find(ids.begin(), ids.end(), status.st_gid) != ids.end())
    return (status.st_mode & (others_bit << 3)) != 0;
  return (status.st_mode & others_bit) != 0;
}

// The rules of OpenSSH's safe_path(): each owner is root or the user, and nobody else can write.
std::string problem_of(const std::string& path, const struct stat& status, const Account& account,
                       StrictModes strict) {
  const bool is_file = !S_ISDIR(status.st_mode);
  if (!may(account, status, is_file ? S_IROTH : S_IXOTH))
    return fmt::format("{} may not {} {}", account.user, is_file ? "read" : "enter", path);
  if (strict == StrictModes::no) return "";
  if (status.st_uid != 0 && status.st_uid != account.uid)
    return fmt::format("{} belongs to another user than root and {}", path, account.user);
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fmt::format("others can write in {}", path);
  return "";
}

std::string problem_on_the_way(const std::string& path, const Account& account,
                               StrictModes strict) {
  for (std::string at = path;; at.resize(std::max<std::size_t>(at.rfind('/'), 1))) {
    struct stat status {};
    if (::stat(at.c_str(), &status) != 0)
      return fmt::format("cannot look at {}: {}", at, std::strerror(errno));
    if (at == path && !S_ISREG(status.st_mode)) return path + " is no file";
    std::string problem = problem_of(at, status, account, strict);
    if (!problem.empty() || at == "/") return problem;
  }
}

}  // namespace

std::optional<Account> find_account(const std::string& user) {
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) return std::nullopt;
  Account account{.user = entry->pw_name,
                  .home = entry->pw_dir,
                  // passwd(5): an empty field stands for this shell.
                  .shell = entry->pw_shell[0] == '\0' ? "/bin/sh" : entry->pw_shell,
                  .uid = entry->pw_uid};
  const gid_t primary = entry->pw_gid;
  account.shell_state = shell_state(account.shell);
  add_groups(account, primary);
  if (const auto facts = password_facts(user)) {
    account.is_locked = facts->is_locked;
    const long today = now().time_since_epoch().count() / seconds_of_a_day;
    account.has_expired = facts->expires_after_days && today >= *facts->expires_after_days;
  }
  return account;
}

PrincipalsFile read_principals(const std::string& path, const Account& account,
                               StrictModes strict) {
  PrincipalsFile result{expanded(path, account)};
  result.problem = problem_on_the_way(result.path, account, strict);
  if (!result.problem.empty()) return result;
  const Descriptor file(::open(result.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  std::string text(most_bytes, '\0');
  const std::ptrdiff_t got = file ? read_all(file.get(), text) : -1;
  if (got < 0) {
    result.problem = fmt::format("cannot read {}: {}", result.path, std::strerror(errno));
    return result;
  }
  text.resize(static_cast<std::size_t>(got));
  result.names = parse_principal_lines(text);
  return result;
}

std::vector<std::string> parse_principal_lines(std::string_view text) {
  std::vector<std::string> names;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line.substr(0, line.find('#')), " \t\r");
    const auto blank = line.find_last_of(" \t");
    if (!line.empty())
      names.emplace_back(blank == std::string_view::npos ? line : line.substr(blank + 1));
  }
  return names;
}

}  // namespace mayfly::sshconfig
