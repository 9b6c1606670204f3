#include "cli/flags/host_argument.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <netinet/in.h>

#include <algorithm>
#include <optional>

#include "access/core/error.hpp"
#include "access/core/loopback_name.hpp"
#include "access/core/text.hpp"
#include "access/listen/listen_address.hpp"
#include "cli/terminal/environment.hpp"

namespace mayfly::cli {
namespace {

constexpr const char* hostname_variable = "TUNNEL_SERVICE_HOSTNAME";

bool is_from_variable(const std::string& hostname) {
  return hostname == variable(hostname_variable);
}

std::optional<ListenAddress> listen_address(const std::string& text) {
  try {
    return ListenAddress::parse(text);
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool is_ip_address(const std::string& host) {
  in6_addr room{};
  return inet_pton(AF_INET, host.c_str(), &room) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &room) == 1;
}

// An application has a name that is not this computer's: "vm.example.com:8443" may be one.
bool is_only_a_listener(const std::string& text) {
  const auto address = listen_address(text);
  return address &&
         (address->family == ListenAddress::Family::unix_socket || address->host.empty() ||
          is_loopback_name(address->host) || is_ip_address(address->host));
}

}  // namespace

void bind_hostname(Parser& parser, std::string& hostname, const char* help) {
  parser.add_option("--hostname,--tunnel-host,-T", hostname, help)
      .envname(hostname_variable)
      .once();
}

void bind_host_argument(Parser& parser, std::string& host) {
  parser.add_option("HOST", host, "the same as --hostname");
}

void bind_host_and_listeners(Parser& parser, std::vector<std::string>& arguments) {
  parser.add_option("HOST", arguments, "the same as --hostname; or ADDRESS, the same as --url");
}

void take_host(std::string& hostname, const std::string& argument) {
  if (argument.empty()) return;
  if (!hostname.empty() && !is_from_variable(hostname))
    throw Error(ErrorKind::usage,
                fmt::format("there are two hosts: \"{}\" and \"{}\"", printable(hostname),
                            printable(argument)),
                "name one, with --hostname or without it");
  hostname = argument;
}

void take_host_and_listeners(std::string& hostname, const std::vector<std::string>& arguments,
                             std::vector<std::string>& listeners) {
  const bool is_fixed = !hostname.empty() && !is_from_variable(hostname);
  bool is_taken = is_fixed;
  for (const std::string& argument : arguments) {
    const bool may_be_listener =
        is_only_a_listener(argument) || (!hostname.empty() && listen_address(argument).has_value());
    if (may_be_listener) {
      listeners.push_back(argument);
    } else if (!is_taken) {
      hostname = argument;
      is_taken = true;
    } else {
      take_host(hostname, argument);
    }
  }
}

void bind_matching(Parser& parser, std::string& pattern) {
  parser.add_option("--matching", pattern, "refuse a host that this wildcard does not match")
      .type_name("PATTERN");
}

Url application_url(const std::string& hostname, const std::string& pattern) {
  Url url = parse_url(hostname);
  if (pattern.empty()) return url;
  const auto slash = std::min(pattern.find('/'), pattern.size());
  const bool is_host =
      ::fnmatch(pattern.substr(0, slash).c_str(), url.host.c_str(), FNM_NOESCAPE) == 0;
  const bool is_path =
      url.path == pattern.substr(slash) || (slash == pattern.size() && url.path == "/");
  if (!is_host || !is_path || url.port != 443 || !url.query.empty())
    throw Error(ErrorKind::usage,
                fmt::format("{} is not behind {}", printable(hostname), printable(pattern)),
                "type the name of a host alone after ssh");
  return url;
}

void require_hostname(const std::string& hostname, const Invocation& invocation) {
  if (!hostname.empty()) return;
  throw Error(ErrorKind::usage, "which application? its host name is missing",
              fmt::format("run: mayfly access {} --hostname HOST", invocation.name));
}

}  // namespace mayfly::cli
