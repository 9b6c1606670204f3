// Who may use a local HTTP listener that adds a person's identity: the person's own programs and
// browser, and no web page of somebody else in that browser (SECURITY.md tells why).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/http1/head.hpp"

namespace mayfly {

// The end of a local connection that is ours.
struct LocalPlace {
  enum class Family { tcp, unix_socket } family = Family::tcp;
  std::string address;  // "127.0.0.1", "::1"
  std::uint16_t port = 0;
  enum class Reach { loopback, network } reach = Reach::loopback;
  std::vector<std::string> names;  // under which it was told to listen
  // "NAME" or "NAME:PORT": what a proxy or port mapping in front calls it.
  std::vector<std::string> aliases = {};
  // The application's own name for browsers, "NAME.localhost"; "" if it has none.
  std::string own_name = {};
  // Which other names under .localhost mean this place: those without a hyphen, or none. The names
  // that applications get by default have one each, so that no listener gets another's cookies.
  enum class LocalNames { without_hyphen, own_only } local_names = LocalNames::without_hyphen;
  enum class ServiceWorkers { refused, allowed } service_workers = ServiceWorkers::refused;

  // Of a connected socket. Throws Error(failed).
  static LocalPlace of(int socket, std::vector<std::string> names,
                       std::vector<std::string> aliases);
  // Whether a Host means this place. Somebody else's name may lead here too (DNS rebinding).
  bool is_meant_by(std::string_view host) const;
  // A Host that means it.
  std::string authority() const;
};

// Whether text is "NAME" or "NAME:PORT"; an address is a name too.
bool is_alias(std::string_view text);

struct Denial {
  int status = 403;
  std::string why, hint;
  // Whether the person may go on by a click, on a page of this listener.
  enum class Click { changes_nothing, goes_on } click = Click::changes_nothing;
};

// Nothing when the request may pass. Its Host is the one of its target where that has one.
std::optional<Denial> denial_of(const RequestHead& head, const LocalPlace& place);

// Returns "http://NAME.localhost:PORT" if a browser opens a page by an address that all
// applications share (127.0.0.1, localhost) while the application has a name of its own: cookies
// are kept by host and not by port. Browsers resolve such names themselves.
std::optional<std::string> origin_for_browser(const RequestHead& head, const LocalPlace& place);

}  // namespace mayfly
