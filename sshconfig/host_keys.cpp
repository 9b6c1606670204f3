#include "sshconfig/host_keys.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "access/core/state_names.hpp"
#include "access/core/text.hpp"
#include "sshconfig/quote.hpp"

namespace mayfly::sshconfig {
namespace {

bool is_wildcard(std::string_view host) {
  return host.find('*') != std::string_view::npos;
}

}  // namespace

std::string host_key_name(std::string_view host) {
  if (is_wildcard(host)) return std::string(host.substr(0, host.find('/')));
  return file_name(std::string(host));
}

std::string host_key_lines(std::string_view host, std::string_view known_hosts,
                           HostKeyTrust trust) {
  std::string lines;
  if (!host.empty() && !is_wildcard(host))
    lines += fmt::format("  HostKeyAlias {}\n", host_key_name(host));
  lines += fmt::format("  UserKnownHostsFile {}\n", config_word(without_tokens(known_hosts)));
  if (trust == HostKeyTrust::certified)
    lines += "  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n";
  else
    lines += "  StrictHostKeyChecking accept-new\n";
  // Neither the DNS nor the server itself may vouch for another key. No line is newer than OpenSSH
  // 7.6: an older ssh would refuse the whole file.
  return lines + "  VerifyHostKeyDNS no\n  UpdateHostKeys no\n";
}

std::string with_host_authorities(std::string_view authorities, std::string_view host,
                                  const std::vector<std::string>& keys) {
  const std::string begin = fmt::format("@cert-authority {} ", host_key_name(host));
  std::string result;
  for (std::size_t start = 0; start < authorities.size();) {
    const std::size_t end = std::min(authorities.find('\n', start), authorities.size() - 1) + 1;
    const std::string_view line = authorities.substr(start, end - start);
    if (!line.starts_with(begin)) result += line;
    start = end;
  }
  if (!keys.empty() && !result.empty() && result.back() != '\n') result += '\n';
  for (const std::string& key : keys) result += fmt::format("{}{}\n", begin, key);
  return result;
}

}  // namespace mayfly::sshconfig
