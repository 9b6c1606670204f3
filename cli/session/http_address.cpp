#include "cli/session/http_address.hpp"

#include <fmt/core.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "access/core/encoding.hpp"
#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/state_names.hpp"
#include "access/core/text.hpp"
#include "access/system/state_lock.hpp"

namespace mayfly::cli {
namespace {

constexpr const char* file = http_ports_name;
constexpr std::size_t most_ports = last_http_port - first_http_port + 1;
constexpr std::size_t longest_label = 63;

using Hash = std::array<unsigned char, crypto_generichash_BYTES_MIN>;

Hash hash_of(std::string_view text) {
  Hash hash;
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size(), nullptr, 0);
  return hash;
}

std::optional<HttpPort> port_in(std::string_view line) {
  HttpPort found;
  const std::size_t space = std::min(line.find(' '), line.size());
  found.port = parse_port(line.substr(0, space)).value_or(0);
  if (found.port < first_http_port || found.port > last_http_port) return std::nullopt;
  if (line.size() < space + 2) return std::nullopt;
  found.application = line.substr(space + 1);
  return application_key(parse_url(found.application)) == found.application ? std::optional(found)
                                                                            : std::nullopt;
}

Error not_ours(const StateDirectory& state) {
  return Error(ErrorKind::failed,
               fmt::format("{} is no list of ports", printable(state.path_of(file))),
               "remove it: mayfly http then chooses a port for each application anew");
}

const HttpPort* find(const std::vector<HttpPort>& ports, std::string_view application) {
  const auto found = std::ranges::find(ports, application, &HttpPort::application);
  return found == ports.end() ? nullptr : &*found;
}

bool is_taken(const std::vector<HttpPort>& ports, std::uint16_t port) {
  return std::ranges::find(ports, port, &HttpPort::port) != ports.end();
}

// Depends on the user, so that two users of a computer mostly get different ports.
HttpPort new_port(const std::vector<HttpPort>& taken, std::string application) {
  if (taken.size() >= most_ports)
    throw Error(ErrorKind::failed, "every port for mayfly http belongs to an application",
                "name an address with --url, or forget them with: mayfly logout --all");
  const Hash hash = hash_of(fmt::format("{} {}", ::getuid(), application));
  std::size_t at = (hash[0] | hash[1] << 8 | hash[2] << 16) % most_ports;
  while (is_taken(taken, static_cast<std::uint16_t>(first_http_port + at)))
    at = (at + 1) % most_ports;
  return {std::move(application), static_cast<std::uint16_t>(first_http_port + at)};
}

std::string text_of(const std::vector<HttpPort>& ports) {
  std::string text;
  for (const HttpPort& one : ports) text += fmt::format("{} {}\n", one.port, one.application);
  return text;
}

std::optional<HttpPort> remembered_http_port(const StateDirectory& state, std::string_view key) {
  const std::vector<HttpPort> ports = remembered_http_ports(state);
  const HttpPort* known = find(ports, key);
  return known ? std::optional(*known) : std::nullopt;
}

std::string url_at(const HttpPort& port, std::string_view name) {
  const std::string path = parse_url(port.application).path;
  return fmt::format("http://{}:{}{}", name, port.port, path.empty() ? "/" : path);
}

}  // namespace

std::string browser_name(const Url& application) {
  std::string label;
  for (const char c : application.host)
    label += c == '-' ? "--" : c == '.' ? "-" : std::string(1, c);
  const bool is_fit = label.size() <= longest_label && !label.starts_with("xn--") &&
                      label.find('-') != std::string::npos && label.find(':') == std::string::npos;
  if (!is_fit) {
    const Hash hash = hash_of(application.host);
    label = "app-" + hex_encode({reinterpret_cast<const char*>(hash.data()), hash.size()});
  }
  return label + ".localhost";
}

std::string application_key(const Url& application) {
  std::string key = application.authority() + application.path;
  while (key.ends_with('/')) key.pop_back();
  return key;
}

std::string HttpPort::address() const {
  return url_at(*this, "127.0.0.1");
}

std::string HttpPort::browser_address() const {
  return url_at(*this, browser_name(parse_url(application)));
}

std::vector<HttpPort> remembered_http_ports(const StateDirectory& state) {
  std::vector<HttpPort> ports;
  const auto content = state.read(file);
  if (!content) return ports;
  for (const std::string_view line : split(content->content, '\n')) {
    if (line.empty()) continue;
    std::optional<HttpPort> port;
    try {
      port = port_in(line);
    } catch (const Error&) {
      throw not_ours(state);
    }
    if (!port || is_taken(ports, port->port) || find(ports, port->application) != nullptr)
      throw not_ours(state);
    ports.push_back(std::move(*port));
  }
  return ports;
}

HttpPort http_port_of(const StateDirectory& state, const Url& application) {
  std::string key = application_key(application);
  if (state.descriptor() < 0) return new_port({}, std::move(key));
  if (auto known = remembered_http_port(state, key)) return *std::move(known);
  const StateLock lock(state);
  std::vector<HttpPort> ports = remembered_http_ports(state);
  if (const HttpPort* known = find(ports, key)) return *known;  // chosen by another process since
  ports.push_back(new_port(ports, std::move(key)));
  state.write(file, text_of(ports));
  return ports.back();
}

bool forget_http_ports(const StateDirectory& state) {
  return state.remove(file);
}

}  // namespace mayfly::cli
