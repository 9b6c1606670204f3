#include "access/forward/http_guard.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "access/core/loopback_name.hpp"
#include "access/core/text.hpp"

namespace mayfly {
namespace {

struct HostPort {
  std::string_view host;  // IPv6 without brackets
  std::uint16_t port = 80;
  bool names_port = false;
};

std::optional<HostPort> split_host(std::string_view text) {
  const auto fields = colon_fields(text);
  HostPort found{.host = without_brackets(fields.front()), .names_port = fields.size() > 1};
  const auto port = found.names_port ? parse_port(fields[1]) : found.port;
  if (found.host.empty() || fields.size() > 2 || !port) return std::nullopt;
  found.port = *port;
  return found;
}

// The same address however it is written.
std::string canonical_address(std::string_view host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  for (const int family : {AF_INET, AF_INET6})
    if (inet_pton(family, std::string(host).c_str(), address.data()) == 1)
      return address_text(family, address.data());
  return {};
}

// Returns the value of a header that is there exactly once, else "".
std::string_view only_value(const RequestHead& head, std::string_view name) {
  const auto values = head.headers.all(name);
  return values.size() == 1 ? values.front() : std::string_view();
}

bool has_hyphen_before_localhost(std::string_view lower) {
  lower.remove_suffix(std::string_view(".localhost").size());
  return lower.substr(lower.rfind('.') + 1).find('-') != std::string_view::npos;
}

// `name` is "localhost" or ends in ".localhost".
bool is_local_name_of(const LocalPlace& place, std::string_view name) {
  const std::string lower = to_lower(name);
  if (lower == "localhost" || (!place.own_name.empty() && lower == place.own_name)) return true;
  return place.local_names == LocalPlace::LocalNames::without_hyphen &&
         !has_hyphen_before_localhost(lower);
}

// WebKit names itself so, and so does Chromium, which says Chrome as well. WebKit sends no
// Sec-Fetch-User, and cannot be relied on to look up names under .localhost itself.
bool is_webkit(const RequestHead& head) {
  const std::string_view agent = only_value(head, "User-Agent");
  return agent.find("AppleWebKit/") != std::string_view::npos &&
         agent.find("Chrome/") == std::string_view::npos;
}

// Fetch Metadata, section 2.4: browsers say so only of a navigation that a person set off by a
// click or key, through redirects too.
bool is_by_gesture(const RequestHead& head) {
  return only_value(head, "Sec-Fetch-User") == "?1" || is_webkit(head);
}

// The whole window goes to another page.
bool is_navigation(const RequestHead& head) {
  return (head.method == "GET" || head.method == "HEAD") &&
         only_value(head, "Sec-Fetch-Mode") == "navigate" &&
         only_value(head, "Sec-Fetch-Dest") == "document";
}

// A page that asks not to be named (Referrer-Policy: no-referrer) posts its forms from "null", to
// its own site too; Sec-Fetch-Site, which no page can set, says that it is its own.
bool is_own(std::string_view origin, bool says_so, std::string_view host) {
  return equals_ignoring_case(origin, fmt::format("http://{}", host)) ||
         (origin == "null" && says_so);
}

bool says_own(const std::vector<std::string_view>& sites) {
  return !sites.empty() &&
         std::ranges::all_of(sites, [](std::string_view site) { return site == "same-origin"; });
}

bool is_foreign(const RequestHead& head) {
  return std::ranges::any_of(head.headers.all("Sec-Fetch-Site"), [](std::string_view site) {
    return !site.empty() && site != "same-origin" && site != "none";
  });
}

bool is_of_another_site(const RequestHead& head, std::string_view host) {
  const bool all_own = says_own(head.headers.all("Sec-Fetch-Site"));
  for (const std::string_view origin : head.headers.all("Origin"))
    if (!is_own(origin, all_own, host)) return true;
  return is_foreign(head) && !is_navigation(head);
}

// Sec-Purpose (Fetch, section 2.2.8) and its older forms; no person looks at the answer yet.
bool is_ahead_of_visit(const RequestHead& head) {
  for (const char* name : {"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"})
    for (const std::string_view value : head.headers.all(name)) {
      const std::string lower = to_lower(value);
      if (lower.find("prefetch") != std::string::npos ||
          lower.find("prerender") != std::string::npos ||
          lower.find("preview") != std::string::npos)
        return true;
    }
  return false;
}

// Service Workers, section "Update": browsers mark the request, and no page can.
bool is_for_service_worker(const RequestHead& head) {
  return head.headers.contains("Service-Worker") ||
         only_value(head, "Sec-Fetch-Dest") == "serviceworker";
}

bool is_host(std::string_view host) {
  return !canonical_address(host).empty() || is_host_name(host);
}

bool means(std::string_view alias, const HostPort& wanted) {
  const auto parts = split_host(alias);
  return parts && equals_ignoring_case(parts->host, wanted.host) &&
         (!parts->names_port || parts->port == wanted.port);
}

// Returns whether browsers send Sec-Fetch-Site to this host over plain HTTP. They do so for
// loopback addresses and names under .localhost only (Secure Contexts, section 3.1), and not for
// another name that leads to a loopback address.
bool is_told_by_browsers(std::string_view host) {
  const auto parts = split_host(host);
  if (!parts) return false;
  const std::string literal = canonical_address(parts->host);
  return literal.starts_with("127.") || literal == "::1" || is_loopback_name(parts->host);
}

// Browsers say this of what fills a window or frame, and no script can: a header that is not
// safelisted (Fetch, section 2.2.2) has to be asked for first, with an Origin.
bool seems_followed(const RequestHead& head) {
  return (head.method == "GET" || head.method == "HEAD") &&
         only_value(head, "Upgrade-Insecure-Requests") == "1";
}

bool is_referred_by_own_page(const RequestHead& head, std::string_view host) {
  const std::string own = fmt::format("http://{}/", host);
  const auto referers = head.headers.all("Referer");
  return !referers.empty() && std::ranges::all_of(referers, [&](std::string_view referer) {
    return equals_ignoring_case(referer.substr(0, own.size()), own);
  });
}

bool is_of_own_page(const RequestHead& head, std::string_view host) {
  const auto sites = head.headers.all("Sec-Fetch-Site");
  return sites.empty() ? is_referred_by_own_page(head, host) : says_own(sites);
}

// A browser's request that says nothing of the page it comes from, where browsers do not.
bool is_of_any_page(const RequestHead& head, std::string_view host) {
  if (is_told_by_browsers(host) || !only_value(head, "User-Agent").starts_with("Mozilla/"))
    return false;
  const bool says = head.headers.contains("Origin") || head.headers.contains("Sec-Fetch-Site");
  return !says && !seems_followed(head) && !is_referred_by_own_page(head, host);
}

// Returns why a browser's request is refused although it names the right address.
std::optional<Denial> denial_of_browser(const RequestHead& head, const LocalPlace& place,
                                        std::string_view host) {
  if (is_of_another_site(head, host))
    return Denial{403, "a page of another site asks for it",
                  "only pages of this address may; a link may lead here, a script or form of "
                  "another site may not"};
  if (is_ahead_of_visit(head) && !is_of_own_page(head, host))
    return Denial{403, "a browser asks for it ahead of a visit", "open it, and it is asked for"};
  if (is_foreign(head) && !is_by_gesture(head))
    return Denial{
        403, "a page of another site opens it, and no click of a person does",
        "follow the link on the page that the browser shows, if you log in to the application",
        head.method == "GET" ? Denial::Click::goes_on : Denial::Click::changes_nothing};
  if (is_for_service_worker(head) && place.service_workers == LocalPlace::ServiceWorkers::refused)
    return Denial{403, "it is the script of a service worker, which stays at this address",
                  "if the application needs it, start the listener with --allow-service-workers"};
  return std::nullopt;
}

// Returns whether WebKit may have asked a name service for this name under .localhost, which could
// have answered first with another address and then with this one (DNS rebinding).
bool is_only_looked_up(const LocalPlace& place, std::string_view host) {
  const auto parts = split_host(host);
  return parts && to_lower(parts->host).ends_with(".localhost") &&
         std::ranges::none_of(place.names, [&](const std::string& name) {
           return equals_ignoring_case(name, parts->host);
         });
}

Denial wrong_host(std::string_view host, const LocalPlace& place) {
  if (place.family == LocalPlace::Family::unix_socket)
    return {421, fmt::format("\"{}\" is no host name", printable(host)),
            "any name will do, as in http://localhost/"};
  return {
      421, fmt::format("\"{}\" is not the name of this listener", printable(host)),
      fmt::format("use http://{}/{}", place.authority(),
                  is_alias(host) ? fmt::format(", or start it with --allow-host {}", host) : "")};
}

}  // namespace

bool is_alias(std::string_view text) {
  const auto parts = split_host(text);
  return parts && is_host(parts->host);
}

LocalPlace LocalPlace::of(int socket, std::vector<std::string> names,
                          std::vector<std::string> aliases) {
  sockaddr_storage room{};
  socklen_t size = sizeof room;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&room), &size) != 0)
    throw system_error("cannot tell a connection's address", errno);
  LocalPlace place{.family = Family::tcp,
                   .address = "",
                   .names = std::move(names),
                   .aliases = std::move(aliases)};
  if (room.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&room);
    place.port = ntohs(v4->sin_port);
    place.address = address_text(AF_INET, &v4->sin_addr);
    place.reach = place.address.starts_with("127.") ? Reach::loopback : Reach::network;
  } else if (room.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&room);
    place.port = ntohs(v6->sin6_port);
    place.address = address_text(AF_INET6, &v6->sin6_addr);
    place.reach = place.address == "::1" ? Reach::loopback : Reach::network;
  } else {
    place.family = Family::unix_socket;
  }
  return place;
}

bool LocalPlace::is_meant_by(std::string_view host) const {
  const auto parts = split_host(host);
  if (!parts) return false;
  const std::string literal = canonical_address(parts->host);
  if (!is_host(parts->host)) return false;
  if (family == Family::unix_socket) return true;  // no browser gets there, whatever the name
  if (std::ranges::any_of(aliases, [&](const std::string& one) { return means(one, *parts); }))
    return true;
  if (parts->port != port) return false;
  if (!literal.empty() && literal == address) return true;
  if (reach == Reach::loopback && is_loopback_name(parts->host) &&
      is_local_name_of(*this, parts->host))
    return true;
  return std::ranges::any_of(
      names, [&](const std::string& name) { return equals_ignoring_case(name, parts->host); });
}

std::string LocalPlace::authority() const {
  if (family == Family::unix_socket) return "localhost";
  return host_port(address, port);
}

std::optional<Denial> denial_of(const RequestHead& head, const LocalPlace& place) {
  const auto hosts = head.headers.all("Host");
  if (hosts.size() != 1)
    return Denial{400, hosts.empty() ? "it names no Host" : "it names more than one Host",
                  "exactly one belongs to each request (RFC 9112 section 3.2)"};
  if (!place.is_meant_by(hosts.front())) return wrong_host(hosts.front(), place);
  if (is_webkit(head) && is_only_looked_up(place, hosts.front()))
    return wrong_host(hosts.front(), place);
  if (auto denial = denial_of_browser(head, place, hosts.front())) return denial;
  if (place.family == LocalPlace::Family::tcp && is_of_any_page(head, hosts.front()))
    return Denial{403, "a page of another site may ask for it",
                  "browsers say whose page asks to 127.0.0.1 and names under .localhost alone: "
                  "use such an address; a program that is no browser needs a User-Agent other "
                  "than Mozilla's"};
  return std::nullopt;
}

std::optional<std::string> origin_for_browser(const RequestHead& head, const LocalPlace& place) {
  const auto parts = split_host(only_value(head, "Host"));
  const bool has_own = place.local_names == LocalPlace::LocalNames::own_only &&
                       !place.own_name.empty() && place.reach == LocalPlace::Reach::loopback;
  if (!parts || !has_own || !is_navigation(head) || is_webkit(head)) return std::nullopt;
  const bool shared = equals_ignoring_case(parts->host, "localhost") ||
                      canonical_address(parts->host) == place.address;
  if (!shared || parts->port != place.port) return std::nullopt;
  return fmt::format("http://{}:{}", place.own_name, place.port);
}

}  // namespace mayfly
